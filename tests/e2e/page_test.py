"""The page: what it shows, and votes by its form, as a browser without a script sends them."""
import datetime
import html.parser
import re
import urllib.parse

import pytest


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VOID = {"meta", "link", "input"}


class Page(html.parser.HTMLParser):
    """Elements with their attributes, and the text; fails where tags do not match."""

    def __init__(self, answer):
        super().__init__()
        self.open = []
        self.elements = []
        self.text = ""
        self.feed(answer.body.decode())
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, **attrs):
        return [a for t, a in self.elements
                if t == tag and all(a.get(k) == v for k, v in attrs.items())]

    def one(self, tag, **attrs):
        found = self.all(tag, **attrs)
        assert len(found) == 1, (tag, attrs, found)
        return found[0]

    def news(self):
        return [a["role"] for _, a in self.elements if "news" in a.get("class", "").split()]


def page(daemon, path, **fields):
    answer = daemon.public("GET", path, fields={k.replace("_", "-"): v for k, v in fields.items()})
    assert answer.fields["content-type"] == "text/html; charset=utf-8"
    return Page(answer)


def send(daemon, path, form, cookie=None, **more):
    fields = dict(FORM, **more)
    if cookie:
        fields["Cookie"] = cookie
    body = form if isinstance(form, bytes) else urllib.parse.urlencode(form).encode()
    return daemon.public("POST", path, body, fields)


class Browser:
    """Follows redirects and keeps the cookie."""

    def __init__(self, daemon, keeps=True):
        self.daemon = daemon
        self.keeps = keeps
        self.cookie = None
        self.asked = []

    def vote(self, path, form):
        answer = send(self.daemon, path, form, self.cookie)
        self.asked.append((answer.status, answer.fields.get("location")))
        if answer.status == 307:
            if self.keeps:
                self.cookie = answer.fields["set-cookie"].split(";")[0]
            return self.vote(answer.fields["location"], form)
        if answer.status == 303:
            fields = {"Cookie": self.cookie} if self.cookie else {}
            return self.daemon.public("GET", answer.fields["location"], fields=fields)
        return answer


def article(daemon):
    daemon.poll("choice", title={"en": "Which?", "ru": "Что?"}, voters="address",
                options=[{"label": {"en": f"o{i}", "ru": f"в{i}"}} for i in range(1, 5)],
                carried=[33, 30, 24, 21])
    daemon.poll("stars", kind="rating", title="Rate", voters="address", carried=[0, 0, 0, 0, 2])


def test_the_page_shows_the_figures_of_the_tally_as_text_and_as_meters(daemon):
    article(daemon)
    shown = page(daemon, "/p/choice,stars")
    for option in daemon.tally("choice")["options"]:
        said = f"{option['votes']} ({option['shown']})"
        assert said in shown.text
        meter = shown.one("span", **{"aria-labelledby": f"choice:{option['option']}"})
        assert meter["role"] == "meter"
        assert float(meter["aria-valuenow"]) == option["share"]
        assert meter["aria-valuetext"] == said
    assert "33 (31%)" in shown.text
    assert "(votes: 2, rating: 5)" in shown.text
    assert "108 votes" in shown.text
    assert [a["width"] for a in shown.all("rect")][:2] == ["30.5556%", "27.7778%"]


def test_a_page_is_in_the_readers_language_and_links_to_the_other(daemon):
    article(daemon)
    answer = daemon.public("GET", "/p/choice", fields={"Accept-Language": "ru-RU, en;q=0.5"})
    assert answer.fields["content-language"] == "ru"
    assert "Accept-Language" in answer.fields["vary"]
    russian = Page(answer)
    assert russian.one("html")["lang"] == "ru"
    assert "108 голосов" in russian.text and "Что?" in russian.text and "в1" in russian.text
    assert russian.one("a", hreflang="en")["href"] == "?lang=en"
    asked = page(daemon, "/p/stars?lang=ru")
    assert "(голосов: 2, рейтинг: 5)" in asked.text
    assert asked.one("form")["action"] == "stars?lang=ru"


def test_what_people_wrote_is_shown_and_never_markup(daemon):
    title = "<script>alert(1)</script> \"'&amp; \u202e \U0001f389"
    label = "</label><img src=x onerror=alert(1)>" + "x" * 500
    daemon.poll("evil", title=title, options=[{"label": label}, {"label": "b"}],
                about={"type": "Article", "name": "<b>", "url": "https://x.example/?\"><script>&a=1"})
    shown = page(daemon, "/p/evil")
    assert title in shown.text and label in shown.text
    assert len(shown.all("script")) == 1 and not shown.all("img")  # tallyd's own
    assert shown.one("meta", property="og:title")["content"] == title
    assert shown.one("a", rel="nofollow")["href"] == 'https://x.example/?"><script>&a=1'
    assert shown.all("bdi", id="evil:title") and shown.all("bdi", id="evil:1")


def test_the_head_of_a_page_is_strict_and_lets_any_cache_keep_it(daemon):
    article(daemon)
    answer = daemon.public("GET", "/p/choice")
    assert answer.fields["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    assert answer.fields["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert answer.fields["referrer-policy"] == "same-origin"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.fields
    same = daemon.public("GET", "/p/choice", fields={"If-None-Match": answer.fields["etag"]})
    assert same.status == 304
    head = daemon.public("HEAD", "/p/choice")
    assert head.fields["content-length"] == str(len(answer.body))
    with_cookie = daemon.public("GET", "/p/choice", fields={"Cookie": "tallyd_voter=x"})
    assert with_cookie.body == answer.body
    assert "style=" not in answer.body.decode() and "onclick" not in answer.body.decode()
    daemon.public("POST", "/v1/polls/choice/votes", {"option": 1})
    newer = daemon.public("GET", "/p/choice", fields={"If-None-Match": answer.fields["etag"]})
    assert newer.status == 200


def test_a_page_loads_its_style_from_here_and_caches_keep_it_for_ever(daemon):
    article(daemon)
    shown = page(daemon, "/p/choice")
    links = [a["href"] for a in shown.all("link")]
    assert links and all(link.startswith("../assets/") for link in links)
    style = daemon.public("GET", "/assets/" + links[0].rsplit("/", 1)[1])
    assert style.fields["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.fields["cache-control"]
    assert b"url(" not in style.body and b"@import" not in style.body
    older = daemon.public("GET", "/assets/poll-0000000000000000.css")
    assert older.body == style.body and "immutable" not in older.fields["cache-control"]
    assert daemon.public("GET", "/assets/other.css").status == 404


def test_an_unknown_poll_is_a_page_with_404(daemon):
    for path in ("/p/none", "/embed/none", "/p/%00", "/p/a%2Fb", "/p/,"):
        answer = daemon.public("GET", path)
        assert answer.status == 404, path
        assert "There is no such poll" in Page(answer).text
    assert send(daemon, "/p/none", {"option": 1}).status == 404
    daemon.poll("p")
    assert daemon.public("GET", "/p/p,none").status == 200


def test_a_form_without_the_cookie_is_sent_again_with_it_and_then_counts(daemon):
    daemon.poll("p")
    first = send(daemon, "/p/p", {"option": 2})
    assert (first.status, first.fields["location"]) == (307, "/p/p?c=1")
    assert first.fields["cache-control"] == "private, no-store"
    cookie = first.fields["set-cookie"]
    assert cookie.startswith("tallyd_voter=")
    assert "; Path=/p/; HttpOnly; SameSite=Lax" in cookie and "Secure" not in cookie
    assert daemon.tally("p")["votes"] == 0
    done = send(daemon, "/p/p?c=1", {"option": 2}, cookie.split(";")[0])
    assert (done.status, done.fields["location"]) == (303, "/p/p?done=counted&v=2")
    assert [o["votes"] for o in daemon.tally("p")["options"]] == [0, 1, 0, 0]
    shown = page(daemon, done.fields["location"])
    assert "your vote was counted" in shown.text and shown.news() == ["status"]
    assert not shown.all("form")


def test_a_double_tap_and_the_back_button_count_once(daemon):
    daemon.poll("p")
    browser = Browser(daemon)
    browser.vote("/p/p", {"option": 2})
    shown = Page(browser.vote("/p/p", {"option": 2}))
    assert "your vote stands" in shown.text
    assert browser.asked[-1] == (303, "/p/p?done=already&v=2")
    assert daemon.tally("p")["votes"] == 1
    # A browser that sends a second form before the first answer drops the first: no cookie came.
    send(daemon, "/p/p", {"option": 3})
    Browser(daemon).vote("/p/p", {"option": 3})
    assert daemon.tally("p")["votes"] == 2


def test_a_page_of_yesterday_votes_today(daemon):
    daemon.poll("p")
    form = page(daemon, "/p/p").one("form")
    daemon.vote("p", 1, "somebody")
    daemon.stop()
    daemon.start()
    path = urllib.parse.urljoin("/p/p", form["action"])
    assert Browser(daemon).vote(path, {"option": 4}).status == 200
    assert daemon.tally("p")["votes"] == 2


def test_without_cookies_a_page_says_so_and_nothing_counts(daemon):
    daemon.poll("p")
    answer = Browser(daemon, keeps=False).vote("/p/p", {"option": 2})
    assert answer.status == 403
    shown = Page(answer)
    assert shown.news() == ["alert"] and "cookie" in shown.text
    assert daemon.tally("p")["votes"] == 0


def test_a_cookie_that_is_no_good_is_replaced(daemon):
    daemon.poll("p")
    browser = Browser(daemon)
    browser.cookie = "tallyd_voter=a.b.c"
    assert browser.vote("/p/p", {"option": 1}).status == 200
    assert browser.asked[0][0] == 307
    assert daemon.tally("p")["votes"] == 1


def test_the_cookie_is_secure_and_for_the_path_of_public_url(daemon):
    daemon.stop()
    daemon.config += "[server]\npublic_url = https://site.example/polls/\n"
    daemon.start()
    daemon.poll("p")
    answer = send(daemon, "/p/p", {"option": 1})
    assert answer.fields["location"] == "/polls/p/p?c=1"
    assert "; Path=/polls/p/; HttpOnly; SameSite=Lax; Secure" in answer.fields["set-cookie"]
    shown = page(daemon, "/p/p")
    assert shown.one("link", rel="canonical")["href"] == "https://site.example/polls/p/p"
    assert shown.one("meta", property="og:image")["content"].startswith(
        "https://site.example/polls/v1/polls/p/chart.png?")


def test_in_an_address_poll_no_cookie_is_needed(daemon):
    article(daemon)
    answer = send(daemon, "/p/stars", {"rating": 4})
    assert (answer.status, answer.fields["location"]) == (303, "/p/stars?done=counted&v=2")
    assert "set-cookie" not in answer.fields
    other = send(daemon, "/p/stars", {"rating": 5})
    assert other.status == 409
    assert "your first vote stands" in Page(other).text
    assert "Your vote:" not in Page(other).text  # neighbours share an address


def test_a_form_on_a_page_of_several_polls_comes_back_to_it(daemon):
    article(daemon)
    shown = page(daemon, "/p/choice,stars")
    hidden = shown.all("input", type="hidden")
    assert {a["value"] for a in hidden} == {"choice,stars"}
    answer = send(daemon, "/p/stars", {"rating": 4, "page": "choice,stars"})
    assert answer.fields["location"] == "/p/choice,stars?done=counted&poll=stars&v=2"
    after = page(daemon, answer.fields["location"])
    assert after.news() == ["status"]
    assert len(after.all("form")) == 1
    bad = send(daemon, "/p/stars", {"rating": 4, "page": "choice"})
    assert bad.status == 422


@pytest.mark.parametrize("more", ["", "[server]\npublic_url = https://site.example\n"])
def test_no_byte_of_what_is_no_poll_gets_into_a_page_or_its_header(daemon, more):
    daemon.stop()
    daemon.config += more
    daemon.start()
    article(daemon)
    ids = 'https://evil.example/,stars,\r\nSet-Cookie: evil=1,"><meta name=evil>'
    answer = daemon.public("GET", "/p/" + urllib.parse.quote(ids, safe=""))
    assert answer.status == 200 and b"evil" not in answer.body
    assert {a["value"] for a in Page(answer).all("input", name="page")} <= {"stars"}
    voted = send(daemon, "/p/stars", {"rating": 4, "page": ids})
    assert (voted.status, voted.fields["location"]) == (303, "/p/stars?done=counted&v=2")
    assert "set-cookie" not in voted.fields


def test_a_changed_vote_says_so_and_a_refused_one_what_stands(daemon):
    daemon.poll("free", revote=True)
    browser = Browser(daemon)
    browser.vote("/p/free", {"option": 1})
    shown = Page(browser.vote("/p/free", {"option": 3}))
    assert "Your vote was changed" in shown.text and "Change my vote" in shown.text
    assert [o["votes"] for o in daemon.tally("free")["options"]] == [0, 0, 1, 0]
    daemon.poll("once", options=[{"label": "first"}, {"label": "<second>"}])
    browser.vote("/p/once", {"option": 2})
    refused = browser.vote("/p/once", {"option": 1})
    assert refused.status == 409
    assert "your first vote stands. Your vote: <second>" in Page(refused).text


def in_seconds(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_poll_that_takes_no_votes_says_why_and_has_no_form(daemon):
    opens = in_seconds(3600)
    daemon.poll("later", opens_at=opens)
    shown = page(daemon, "/p/later")
    assert "Voting opens on" in shown.text and shown.one("time")["datetime"] == opens
    assert not shown.all("form")
    early = Browser(daemon).vote("/p/later", {"option": 1})
    assert early.status == 409 and "has not begun" in Page(early).text
    daemon.poll("over")
    daemon.admin("PATCH", "/v1/polls/over", {"state": "closed"})
    shown = page(daemon, "/p/over")
    assert "Voting ended on" in shown.text and not shown.all("form")
    late = Browser(daemon).vote("/p/over", {"option": 1})
    assert late.status == 409 and "not counted" in Page(late).text
    daemon.poll("site", voters="account")
    assert "sign in on the site" in page(daemon, "/p/site").text
    assert not page(daemon, "/p/site").all("form")
    assert send(daemon, "/p/site", {"option": 1}).status == 403


def test_a_closing_time_is_there_for_people_and_for_programs(daemon):
    daemon.poll("p", closes_at="2035-11-23T08:40:12Z")
    shown = page(daemon, "/p/p")
    assert "Voting ends on 23 November 2035, 08:40 UTC" in shown.text
    assert shown.one("time")["datetime"] == "2035-11-23T08:40:12Z"
    assert "23 ноября 2035" in page(daemon, "/p/p?lang=ru").text


def test_a_choice_that_cannot_be_is_422_on_the_page(daemon):
    daemon.poll("p", max_choices=3, min_choices=2)
    shown = page(daemon, "/p/p")
    assert "Choose 2 to 3 answers" in shown.text
    assert len(shown.all("input", type="checkbox")) == 4
    for form in (b"", b"option=1", b"option=1&option=2&option=3&option=4", b"option=5&option=1",
                 b"option=1&option=1", b"option=x&option=1", b"option=1&option=-2"):
        answer = send(daemon, "/p/p", form)
        assert answer.status == 422, form
        assert Page(answer).news() == ["alert"]
    assert Browser(daemon).vote("/p/p", b"option=1&option=3").status == 200
    assert daemon.tally("p")["voters"] == 1
    assert "shares of 1 voter" in page(daemon, "/p/p").text


def test_a_form_of_another_type_origin_or_encoding_is_refused_on_a_page(daemon):
    daemon.poll("p", voters="address")
    assert send(daemon, "/p/p", b"option=1", **{"Content-Type": "text/plain"}).status == 415
    assert send(daemon, "/p/p", b"option=%zz").status == 400
    foreign = send(daemon, "/p/p", b"option=1", Origin="https://evil.example")
    assert foreign.status == 403 and "another site" in Page(foreign).text
    assert send(daemon, "/p/p", b"option=1", Origin="null").status == 403
    assert send(daemon, "/p/p", b"x=" + b"a" * 20000).status == 413
    assert daemon.tally("p")["votes"] == 0
    assert send(daemon, "/p/p", b"option=1&utf8=%E2%9C%93", Origin="http://test").status == 303


def test_too_many_votes_of_one_address_are_a_page_with_429(daemon):
    daemon.stop()
    daemon.config = daemon.config.replace("votes_per_minute = 0", "votes_per_minute = 2")
    daemon.start()
    daemon.poll("p", voters="address")
    for _ in range(2):
        assert send(daemon, "/p/p", b"option=1").status == 303
    answer = send(daemon, "/p/p", b"option=1")
    assert answer.status == 429 and int(answer.fields["retry-after"]) > 0
    assert "Too many votes" in Page(answer).text


def test_cookies_come_out_of_the_bucket_of_tokens(daemon):
    daemon.stop()
    daemon.config = daemon.config.replace("tokens_per_hour = 0", "tokens_per_hour = 1")
    daemon.start()
    daemon.poll("p")
    assert send(daemon, "/p/p", b"option=1").status == 307
    assert send(daemon, "/p/p", b"option=1").status == 429


def test_hidden_results_are_nowhere_in_the_page(daemon):
    counts = [71, 62, 53, 44]
    for results in ("after_vote", "after_close"):
        daemon.poll(results, results=results, carried=counts)
        for path in (f"/p/{results}", f"/embed/{results}", f"/p/{results}?done=counted&v=1"):
            answer = daemon.public("GET", path)
            shown = Page(answer)
            assert not shown.all("span", role="meter")
            for hidden in ("71", "62", "53", "44", "230", "31%", "og:image"):
                assert not re.search(rf"\b{hidden}", shown.text + str(shown.all("meta"))), hidden
            assert "The results are shown" in shown.text
    listed = page(daemon, "/p/")
    assert "230" not in listed.text and listed.text.count("results are hidden") == 2
    browser = Browser(daemon)
    voted = browser.vote("/p/after_vote", {"option": 1})
    assert "72 (" in Page(voted).text
    assert voted.fields["cache-control"] == "private, no-store"
    assert not browser.asked[-1][1].endswith("v=2")  # but with a hash, which may begin like that
    assert "72" not in Page(browser.vote("/p/after_close", {"option": 1})).text
    stranger = daemon.public("GET", browser.asked[1][1])
    assert "72" not in Page(stranger).text


def test_equal_counts_are_said_to_be_tied(daemon):
    daemon.poll("p", carried=[5, 5, 5, 1])
    text = page(daemon, "/p/p").text
    assert "5 (32%)" in text and "5 (31%)" in text
    assert text.count("tied for first place") == 3
    daemon.poll("none")
    assert "tied" not in page(daemon, "/p/none").text


def test_the_list_has_open_polls_and_an_archive(daemon):
    article(daemon)
    daemon.poll("old")
    daemon.admin("PATCH", "/v1/polls/old", {"state": "closed"})
    shown = page(daemon, "/p/")
    hrefs = [a["href"] for a in shown.all("a")]
    assert {"choice", "stars", "old"} <= set(hrefs)
    assert shown.text.index("Open polls") < shown.text.index("Archive")
    only = [a["href"] for a in page(daemon, "/p/?state=closed").all("a")]
    assert "old" in only and "choice" not in only


def test_a_long_list_goes_on_behind_a_link(daemon):
    for i in range(130):
        daemon.poll(f"p{i:03}")
    first = page(daemon, "/p/")
    more = [a["href"] for a in first.all("a") if "after=" in a["href"]]
    assert more == ["./?state=open&after=p099"]
    rest = page(daemon, urllib.parse.urljoin("/p/", more[0]))
    assert [a["href"] for a in rest.all("a") if a["href"].startswith("p")] == [
        f"p{i}" for i in range(100, 130)]


def test_the_best_rated_come_first_and_one_five_does_not_lead(daemon):
    daemon.poll("one-five", kind="rating", carried=[0, 0, 0, 0, 1])
    daemon.poll("many-fours", kind="rating", carried=[0, 0, 10, 80, 60])
    daemon.poll("poor", kind="rating", carried=[50, 10, 0, 0, 0])
    daemon.poll("secret", kind="rating", carried=[0, 0, 0, 0, 500], results="after_close")
    daemon.poll("choice")
    shown = page(daemon, "/p/?sort=score")
    hrefs = [a["href"] for a in shown.all("a") if not a["href"].startswith((".", "?"))]
    assert hrefs == ["many-fours", "one-five", "poor"]
    assert "Best rated" in shown.text and "(votes: 150, rating: 4.33)" in shown.text
    assert "one-five" in [a["href"] for a in page(daemon, "/p/").all("a")]


def test_an_embedded_poll_may_be_framed_by_those_configured_and_votes_in_a_window(daemon):
    article(daemon)
    answer = daemon.public("GET", "/embed/choice")
    assert answer.fields["content-security-policy"].endswith("; frame-ancestors 'self'")
    shown = Page(answer)
    assert not shown.all("header") and not shown.all("footer")
    form = shown.one("form")
    assert (form["action"], form["target"]) == ("../p/choice", "_blank")
    daemon.stop()
    daemon.config += "[server]\nframe_ancestors = https://a.example https://*.b.example\n"
    daemon.start()
    answer = daemon.public("GET", "/embed/choice")
    assert answer.fields["content-security-policy"].endswith(
        "; frame-ancestors https://a.example https://*.b.example")


@pytest.mark.parametrize("header", ["a=b; tallyd_voter=x.y.z", "tallyd_voter", "=; ;;", "x" * 4000])
def test_strange_cookies_do_no_harm(daemon, header):
    daemon.poll("p", results="after_vote")
    assert daemon.public("GET", "/p/p", fields={"Cookie": header}).status == 200
    assert send(daemon, "/p/p", b"option=1", header).status == 307


def test_the_local_user_votes_by_the_form_too(daemon):
    daemon.poll("p")
    answer = daemon.admin("POST", "/p/p", b"option=2", FORM)
    assert answer.status == 303
    assert daemon.admin("GET", "/v1/polls/p/votes/mine").json()["options"] == [2]


def test_where_only_names_vote_a_token_that_names_somebody_gets_the_form(daemon):
    daemon.poll("p", voters="account")
    minted = daemon.admin("POST", "/v1/voters", {"voter": "kate"}).json()["token"]
    anonymous = daemon.public("POST", "/v1/voters").json()["token"]
    for fields, forms in (({}, 0), ({"Authorization": f"Bearer {anonymous}"}, 0),
                          ({"Cookie": f"tallyd_voter={anonymous}"}, 0),
                          ({"Authorization": f"Bearer {minted}"}, 1)):
        answer = daemon.public("GET", "/embed/p", fields=fields)
        assert len(Page(answer).all("form")) == forms, fields
        assert ("sign in on the site" in Page(answer).text) == (forms == 0)
        assert ("private" in answer.fields["cache-control"]) == (forms == 1)
    answer = send(daemon, "/p/p", {"option": 2}, Authorization=f"Bearer {minted}")
    assert answer.status == 303 and daemon.tally("p")["options"][1]["votes"] == 1
