"""<tally-poll> in a page of another origin, served by nginx, under a policy that allows nothing
else."""
import json
import pathlib

import pytest
from selenium.webdriver.common.keys import Keys

import front

ARTICLE = pathlib.Path(__file__).parent.parent.parent / "docs/examples/article.json"
NO_STORAGE = """Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('not here', 'SecurityError'); } });"""


@pytest.fixture
def article(daemon, site):
    for poll in json.loads(ARTICLE.read_text(encoding="utf-8"))["polls"]:
        assert daemon.admin("PUT", f"/v1/polls/{poll['id']}", poll).status == 201


def test_widgets_show_the_polls_and_take_votes_under_a_strict_policy(daemon, article, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["us-goals-russia", "kyrgyzstan-russia", "p"]))
    choice, stars = browser.widget("us-goals-russia"), browser.widget("kyrgyzstan-russia")
    for figure in ("33 (31%)", "30 (28%)", "24 (22%)", "21 (19%)", "108 votes"):
        choice.shows(figure)
    stars.shows("(votes: 2, rating: 5)")
    browser.shot("widget")
    choice.vote(2)
    assert "your vote was counted" in choice.news()
    assert "31 (29%)" in choice.text() and not choice.all("form")
    stars.vote(4)
    assert "your vote was counted" in stars.news()
    stars.shows("(votes: 3, rating: 4.67)")
    browser.shot("widget-counted")
    assert not browser.run("return localStorage.length")  # neither poll counts tokens
    browser.widget("p").vote(1)
    assert "was counted" in browser.widget("p").news()
    assert daemon.tally("us-goals-russia")["votes"] == 109
    assert daemon.tally("kyrgyzstan-russia")["rating"] == 4.67
    token = browser.run("return Object.values(localStorage)")
    assert len(token) == 1 and token[0].count(".") == 2
    for url, _, _ in browser.requests():
        assert url.startswith((site.address + "/", browser.base + "/")) and token[0] not in url
    assert [c for c in browser.complaints() if "favicon" not in c] == []


def test_a_vote_that_was_cast_before_is_named(daemon, site, browser):
    daemon.poll("p", title="Which?")
    page = site.page(["p"])
    for option, said in [(2, "your vote was counted"), (2, "your vote stands"),
                         (3, "your first vote stands. Your vote: b")]:
        browser.driver.get(page)
        browser.widget("p").vote(option)
        assert said in browser.widget("p").news()
    assert daemon.tally("p")["votes"] == 1


def test_a_vote_that_may_be_changed_is(daemon, site, browser):
    daemon.poll("p", revote=True)
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.vote(1)
    assert "was counted" in widget.news()
    assert widget.find("button").text == "Change my vote"
    assert browser.run("return arguments[0].shadowRoot.activeElement.localName",
                       browser.find("tally-poll")) == "button"
    widget.vote(4)
    browser.until(lambda: "was changed" in widget.news())
    assert [o["votes"] for o in daemon.tally("p")["options"]] == [0, 0, 0, 1]


def test_each_state_of_a_poll_is_said(daemon, site, browser):
    daemon.poll("over", carried=[5, 5, 1, 0])
    daemon.admin("PATCH", "/v1/polls/over", {"state": "closed"})
    daemon.poll("later", opens_at="2035-11-23T08:40:12Z")
    daemon.poll("secret", results="after_vote")
    daemon.poll("several", max_choices=2, carried=[3, 3, 1, 0], carried_voters=4)
    daemon.poll("named", voters="account")
    polls = ["over", "later", "secret", "several", "named", "none"]
    browser.driver.get(site.page(polls))
    over, later, secret, several, named, none = (browser.widget(p) for p in polls)
    over.shows("Voting ended on")
    over.shows("tied for first place")
    later.shows("Voting opens on November 23, 2035")
    secret.shows("The results are shown after you have voted.")
    several.shows("Several answers possible, shares of 4 voters")
    named.shows("sign in on the site")
    none.shows("There is no such poll")
    for widget in (over, later, named, none):
        assert not widget.all("button")
    assert not secret.all(".figure")
    browser.shot("widget-states")


def test_results_that_are_shown_after_the_vote_are_and_stay_live(daemon, site, browser):
    daemon.poll("secret", results="after_vote")
    daemon.poll("open")
    browser.driver.get(site.page(["secret", "open"]))
    widget = browser.widget("secret")
    widget.vote(1)
    widget.shows("1 (100%)")
    daemon.vote("secret", 2, "another")
    widget.shows("1 (50%)")
    live = [(url, fields) for url, fields, _ in browser.requests() if "/v1/events" in url]
    assert any(fields.get("Authorization", "").startswith("Bearer ") for _, fields in live)
    browser.driver.get(site.page(["secret"]))
    widget.shows("1 (50%)")


def test_figures_move_when_others_vote(daemon, site, browser):
    daemon.poll("p", carried=[1, 1, 0, 0])
    daemon.poll("r", kind="rating")
    browser.driver.get(site.page(["p", "r"]))
    choice, stars = browser.widget("p"), browser.widget("r")
    choice.shows("tied for first place")
    stars.shows("(no votes yet)")
    daemon.vote("p", 2, "one")
    choice.shows("2 (67%)")
    choice.shows("3 votes")
    assert not choice.all(".tie")
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 4, "voter": "one"})
    stars.shows("(votes: 1, rating: 4)")
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 5, "voter": "two"})
    stars.shows("(votes: 2, rating: 4.5)")
    assert stars.find(".bar").get_attribute("aria-valuetext") == "1 (50%)"
    assert stars.find(".bar").get_attribute("aria-valuenow") == "0.5"
    assert float(stars.find(".on").get_attribute("width")) == 4 * 24 + 2.1 + 9.9
    daemon.admin("PATCH", "/v1/polls/p", {"title": "Asked otherwise"})
    choice.shows("Asked otherwise")
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    choice.shows("Voting ended on")
    daemon.admin("DELETE", "/v1/polls/p")
    choice.shows("There is no such poll")
    daemon.admin("POST", "/v1/polls/r/votes", {"rating": 5, "voter": "three"})
    stars.shows("(votes: 3, rating: 4.67)")


def test_the_end_is_shown_though_a_cache_on_the_way_has_the_poll_as_it_was(daemon, site, browser):
    daemon.poll("p")
    browser.before_each_page("""
        const load = self.fetch;
        const kept = {};
        self.fetch = async (url, options) => {
          if (!/\\/embed\\//.test(url)) return load(url, options);
          kept[url] ??= load(url, options);
          return (await kept[url]).clone();
        };""")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.find("button")
    daemon.admin("PATCH", "/v1/polls/p", {"state": "closed"})
    browser.until(lambda: not widget.all("button"))
    widget.shows("Voting ended on")


def test_a_choice_that_was_made_and_not_sent_stays_when_the_question_changes(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.find("button")
    widget.all("label")[2].click()
    daemon.admin("PATCH", "/v1/polls/p", {"title": "Asked otherwise"})
    widget.shows("Asked otherwise")
    assert [i.is_selected() for i in widget.all("input")] == [False, False, True, False]


@pytest.mark.parametrize("storage", [NO_STORAGE, ""], ids=["no-storage", "storage"])
def test_a_voter_is_one_for_the_visit_where_nothing_may_be_stored(daemon, site, browser, storage):
    daemon.poll("p", revote=True)
    daemon.poll("q")
    browser.before_each_page(storage)
    browser.driver.get(site.page(["p", "q"]))
    widget = browser.widget("p")
    widget.vote(1)
    assert "was counted" in widget.news()
    widget.vote(2)
    browser.until(lambda: "was changed" in widget.news())
    browser.widget("q").vote(1)
    assert "was counted" in browser.widget("q").news()
    assert daemon.tally("p")["votes"] == 1
    assert len([1 for url, _, how in browser.requests()
                if url.endswith("/v1/voters") and how == "POST"]) == 1


def test_a_token_that_is_refused_is_replaced(daemon, site, browser):
    daemon.poll("p")
    page = site.page(["p"])
    browser.driver.get(page)
    browser.widget("p").find("button")
    browser.run(f"localStorage['tallyd {browser.base}/'] = 'ey.not.ours'")
    browser.widget("p").vote(1)
    assert "was counted" in browser.widget("p").news()
    assert browser.run("return Object.values(localStorage)") != ["ey.not.ours"]


def test_a_site_names_its_reader_by_a_token(daemon, site, browser):
    daemon.poll("p", voters="account", results="after_vote")
    token = daemon.admin("POST", "/v1/voters", {"voter": "kate"}).json()["token"]
    browser.driver.get(site.page([f"poll=p token={token}"]))
    browser.widget("p").vote(2)
    assert "was counted" in browser.widget("p").news()
    browser.widget("p").shows("1 (100%)")
    assert not browser.run("return localStorage.length")
    assert not [url for url, _, _ in browser.requests() if token in url]


def test_a_site_that_may_not_vote_says_so(daemon, site, browser):
    daemon.poll("p")
    daemon.stop()
    daemon.config = daemon.config.replace(site.address, "https://other.example")
    daemon.start()
    site.start(f"http://127.0.0.1:{daemon.port}")
    browser.driver.get(site.page(["p"]))
    browser.widget("p").vote(1)
    browser.until(lambda: "came from another site" in browser.widget("p").news())
    assert daemon.tally("p")["votes"] == 0


def test_too_many_votes_are_told_to_wait(daemon, site, browser):
    daemon.poll("p")
    daemon.poll("q")
    daemon.stop()
    daemon.config = daemon.config.replace("votes_per_minute = 0", "votes_per_minute = 1")
    daemon.start()
    site.start(f"http://127.0.0.1:{daemon.port}")
    browser.driver.get(site.page(["p", "q"]))
    browser.widget("p").vote(1)
    assert "was counted" in browser.widget("p").news()
    browser.widget("q").vote(1)
    assert "please wait a moment" in browser.widget("q").news()
    assert browser.widget("q").find("button").is_enabled()


def test_a_double_tap_counts_once(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    button = widget.find("button")
    widget.all("label")[0].click()
    browser.run("arguments[0].click(); arguments[0].click()", button)
    assert "was counted" in widget.news()
    sent = [url for url, _, how in browser.requests() if how == "POST" and "/p/p" in url]
    assert len(sent) == 1 and daemon.tally("p")["votes"] == 1


def test_the_button_is_off_while_a_vote_is_under_way(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.find("button")
    widget.all("label")[0].click()
    assert daemon.tally("p")["votes"] == 0  # choosing is not voting
    said = browser.run("""
        const button = arguments[0];
        button.click();
        return [button.disabled, button.textContent];""", widget.find("button"))
    assert said == [True, "Sending…"]


def test_the_keyboard_alone_is_enough(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.find("button")
    active = browser.driver.switch_to
    for key in (Keys.TAB, Keys.SPACE, Keys.ARROW_DOWN, Keys.TAB, Keys.ENTER):
        active.active_element.send_keys(key)
    assert "was counted" in widget.news()
    assert browser.run("return document.querySelector('tally-poll')"
                       ".shadowRoot.activeElement.className") == "news"
    assert daemon.tally("p")["options"][1]["votes"] == 1


def test_the_pages_language_is_the_widgets_or_its_own(daemon, article, site, browser):
    browser.driver.get(site.page(["us-goals-russia", "poll=kyrgyzstan-russia lang=ru"]))
    browser.widget("us-goals-russia").shows("108 votes")
    stars = browser.widget("kyrgyzstan-russia")
    stars.shows("(голосов: 2, рейтинг: 5)")
    assert stars.find("button").text == "Оценить"
    daemon.admin("POST", "/v1/polls/kyrgyzstan-russia/votes", {"rating": 4, "voter": "v"})
    stars.shows("(голосов: 3, рейтинг: 4,67)")
    browser.shot("widget-russian")
    browser.run("document.querySelector('tally-poll').lang = 'ru'")
    browser.widget("us-goals-russia").shows("108 голосов")


def test_what_people_wrote_is_shown_and_never_markup(daemon, site, browser):
    words = ["<script>alert(1)</script> \"'&amp;", "</label><img src=x onerror=alert(1)>",
             "\u202ereversed\u200f \U0001f389 <b>", "x" * 500]
    daemon.poll("p", title="</legend><script>alert(2)</script>" + "y" * 500,
                options=[{"label": word} for word in words], carried=[1, 2, 3, 4])
    browser.size(320)
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.shows("4 (40%)")
    daemon.vote("p", 1, "v")
    widget.shows("2 (18%)")
    assert [e.get_property("textContent") for e in widget.all("li bdi")] == words
    assert not widget.all("script, img, b")
    assert browser.run("return document.documentElement.scrollWidth") <= 320
    browser.shot("widget-hostile")
    assert [c for c in browser.complaints() if "favicon" not in c] == []


@pytest.mark.parametrize("width", [320, 500])
def test_a_narrow_window_or_one_at_200_percent_needs_no_scroll_bar(article, site, browser, width):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=800, mobile=False,
                deviceScaleFactor=1 if width == 320 else 2)
    browser.driver.get(site.page(["us-goals-russia", "kyrgyzstan-russia"]))
    browser.widget("us-goals-russia").shows("108 votes")
    browser.widget("kyrgyzstan-russia").shows("(votes: 2, rating: 5)")
    browser.shot(f"widget-{width}")
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_a_site_has_its_own_colours_and_theme(article, site, browser):
    site.start(site.tallyd, policy="")
    browser.driver.get(site.page(
        ["us-goals-russia", "poll=kyrgyzstan-russia theme=dark"],
        "<style>tally-poll { --tally-bar: rgb(1, 2, 3); --tally-radius: 0; font: 20px serif; }"
        "tally-poll::part(button) { text-transform: uppercase; }"
        "tally-poll::part(h1) { color: rgb(4, 5, 6); }</style>"))
    choice, stars = browser.widget("us-goals-russia"), browser.widget("kyrgyzstan-russia")
    assert choice.find(".bar rect").value_of_css_property("fill") == "rgb(1, 2, 3)"
    assert choice.find("h1").value_of_css_property("color") == "rgba(4, 5, 6, 1)"
    assert choice.find("button").value_of_css_property("text-transform") == "uppercase"
    assert choice.find("article").value_of_css_property("font-size") == "20px"
    dark, light = (w.find("article").value_of_css_property("background-color")
                   for w in (stars, choice))
    assert light == "rgba(255, 255, 255, 1)" and dark == "rgba(27, 30, 36, 1)"
    browser.shot("widget-styled")


def test_widgets_work_under_a_path_behind_the_sites_proxy(tmp_path, daemon, site, browser):
    proxy = front.Front(tmp_path / "proxy")
    daemon.stop()
    daemon.config += (f"public_url = http://127.0.0.1:{proxy.port}/our/polls\n"
                      "trusted_proxies = 127.0.0.1\n")
    daemon.start()
    proxy.start(front.to_tallyd(daemon, "/our/polls"))
    try:
        site.start(f"http://127.0.0.1:{proxy.port}/our/polls")
        daemon.poll("p")
        browser.driver.get(site.page(["p"]))
        browser.widget("p").vote(1)
        assert "was counted" in browser.widget("p").news()
        daemon.vote("p", 2, "another")
        browser.widget("p").shows("1 (50%)")
        browser.driver.get(site.tallyd + "/p/p")
        browser.all("label.name")[2].click()
        browser.find("button").click()
        assert "was counted" in browser.news()
        daemon.vote("p", 2, "third")
        browser.until(lambda: "2 (50%)" in browser.text())
    finally:
        proxy.end()
