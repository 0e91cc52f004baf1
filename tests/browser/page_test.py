"""The page in a real browser: votes, narrow screens, dark, Russian, the keyboard alone."""
import http.server
import json
import pathlib
import threading

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ARTICLE = pathlib.Path(__file__).parent.parent.parent / "docs/examples/article.json"
LONG = "x" * 500


@pytest.fixture
def article(daemon):
    for poll in json.loads(ARTICLE.read_text(encoding="utf-8"))["polls"]:
        assert daemon.admin("PUT", f"/v1/polls/{poll['id']}", poll).status == 201


@pytest.fixture
def awkward(daemon):
    daemon.poll("several", title="Which of these do you read? " + LONG, min_choices=2,
                max_choices=3, carried=[1234567, 1234567, 3, 3], carried_voters=1500000,
                options=[{"label": "Newspapers"}, {"label": "A label that has to wrap " * 6},
                         {"label": LONG}, {"label": "\u202e<b>\U0001f389</b>"}],
                closes_at="2035-11-23T08:40:12Z")
    daemon.poll("ten", title="Rate our kitchen", kind="rating", scale=10,
                carried=[1, 0, 3, 4, 1, 8, 20, 11, 7, 3], voters="address")
    daemon.poll("over", title="A poll of last year", carried=[5, 5, 5, 1])
    daemon.admin("PATCH", "/v1/polls/over", {"state": "closed"})
    daemon.poll("secret", title="Who shall win?", results="after_vote")
    daemon.poll("later", title="Soon", opens_at="2035-11-23T08:40:12Z")


PAGES = ["/p/kyrgyzstan-russia,us-goals-russia", "/p/several", "/p/ten", "/p/over", "/p/secret",
         "/p/later", "/p/", "/p/none", "/embed/us-goals-russia", "/p/several?done=counted"]


def name_of(path):
    return path.strip("/").replace("/", "-").replace(",", "+").replace("?done=", "-") or "p"


def luminance(color):
    def linear(c):
        return c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
    if color.startswith("color(srgb "):
        r, g, b = [float(c) for c in color[len("color(srgb "):-1].split()[:3]]
    else:
        r, g, b = [float(c) / 255 for c in color[color.index("(") + 1:-1].split(",")[:3]]
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_a_vote_is_counted_and_the_bars_show_it(daemon, browser, scripts):
    daemon.poll("p", title="Which?", carried=[1, 1, 1, 0])
    browser.scripts(scripts)
    browser.open("/p/p")
    browser.all("label.name")[3].click()
    browser.find("button").click()
    assert "your vote was counted" in browser.news()
    assert "1 (25%)" in browser.all(".figure")[3].text
    assert daemon.tally("p")["votes"] == 4
    browser.shot(f"counted-{'with' if scripts else 'without'}-scripts")
    # A page of before, and the same again: it stands, once. (With a script no page was left.)
    if scripts:
        browser.open("/p/p")
    else:
        browser.driver.back()
    browser.all("label.name")[3].click()
    browser.find("button").click()
    assert "your vote stands" in browser.news()
    browser.open("/p/p")
    browser.all("label.name")[0].click()
    browser.find("button").click()
    assert "your first vote stands" in browser.news()
    assert daemon.tally("p")["votes"] == 4


def test_without_a_choice_the_browser_asks_for_one(daemon, browser):
    daemon.poll("p")
    browser.open("/p/p")
    browser.find("button").click()
    assert browser.driver.current_url == browser.base + "/p/p"
    assert browser.all("input:invalid")
    assert daemon.tally("p")["votes"] == 0


def test_stars_fill_up_to_the_one_that_is_chosen_and_count(daemon, article, browser):
    browser.open("/p/kyrgyzstan-russia")
    browser.all(".choose label")[3].click()
    filled = browser.driver.execute_script(
        "return [...document.querySelectorAll('.choose svg')].map(s => getComputedStyle(s).fill)")
    assert filled[0] == filled[3] != filled[4]
    browser.shot("stars-chosen")
    browser.find("button").click()
    assert "your vote was counted" in browser.news()
    assert "(votes: 3, rating: 4.67)" in browser.text()
    tally = daemon.tally("kyrgyzstan-russia")
    assert (tally["votes"], tally["rating"]) == (3, 4.67)


def test_the_keyboard_alone_is_enough(daemon, browser):
    daemon.poll("p")
    browser.open("/p/p")
    active = browser.driver.switch_to
    for _ in range(10):
        active.active_element.send_keys(Keys.TAB)
        if active.active_element.tag_name == "input":
            break
    active.active_element.send_keys(Keys.SPACE)
    active.active_element.send_keys(Keys.ARROW_DOWN)
    active.active_element.send_keys(Keys.TAB)
    assert active.active_element.tag_name == "button"
    assert browser.driver.execute_script(
        "return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    active.active_element.send_keys(Keys.ENTER)
    assert "your vote was counted" in browser.news()
    assert active.active_element.get_attribute("class") == "news"
    assert daemon.tally("p")["options"][1]["votes"] == 1


@pytest.mark.parametrize("width", [320, 450, 1000])
def test_no_page_scrolls_sideways(article, awkward, browser, width):
    browser.size(width)
    for path in PAGES:
        browser.open(path)
        wide = browser.driver.execute_script("return document.documentElement.scrollWidth")
        browser.shot(f"{width}-{name_of(path)}")
        assert wide <= width, path
        for element in browser.all("h1, h2, .name, .figure, .bar, button, .news, .notes, footer"):
            box = element.rect
            assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1, (path, element.text)


def test_targets_are_large_enough_for_a_finger(article, awkward, browser):
    browser.size(320)
    for path in PAGES:
        browser.open(path)
        for element in browser.all("button, label"):
            assert element.rect["height"] >= 24 and element.rect["width"] >= 24, (path, element.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(article, awkward, browser, scheme):
    browser.look(scheme)
    for path in PAGES:
        browser.open(path)
        browser.shot(f"{scheme}-{name_of(path)}")
        ground, pairs = browser.driver.execute_script("""
            const ground = e => { for (; e; e = e.parentElement) {
                const c = getComputedStyle(e).backgroundColor;
                if (!c.endsWith(', 0)')) return c; } return 'rgb(255, 255, 255)'; };
            const texts = [...document.querySelectorAll('body *')].filter(e =>
                [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()));
            return [ground(document.body),
                    texts.map(e => [e.textContent, getComputedStyle(e).color, ground(e)])];""")
        if not path.startswith("/embed"):
            assert (luminance(ground) < 0.1) == (scheme == "dark")
        for text, color, behind in pairs:
            if path.startswith("/embed") and behind == "rgb(255, 255, 255)":
                continue
            assert contrast(color, behind) >= 4.5, (path, text, color, behind)


def test_bars_stand_out_in_both_themes(article, browser):
    for scheme in ("light", "dark"):
        browser.look(scheme)
        browser.open("/p/us-goals-russia")
        bar, track = browser.driver.execute_script("""
            return [getComputedStyle(document.querySelector('.bar rect')).fill,
                    getComputedStyle(document.querySelector('.bar')).backgroundColor]""")
        assert contrast(bar, track) >= 3, scheme


def test_bars_are_as_long_as_the_share(daemon, article, browser):
    browser.open("/p/us-goals-russia")
    lengths = browser.driver.execute_script("""
        return [...document.querySelectorAll('.bar')].map(b =>
            b.querySelector('rect').getBoundingClientRect().width / b.getBoundingClientRect().width)
        """)
    for length, option in zip(lengths, daemon.tally("us-goals-russia")["options"], strict=True):
        assert abs(length - option["share"]) < 0.005


def test_a_russian_browser_gets_a_russian_page(article, browser):
    browser.language("ru-RU,ru;q=0.9,en;q=0.5")
    browser.open("/p/kyrgyzstan-russia,us-goals-russia")
    browser.shot("russian")
    text = browser.text()
    assert "(голосов: 2, рейтинг: 5)" in text and "108 голосов" in text and "33 (31%)" in text
    assert browser.find("button").text == "Оценить"
    browser.find("footer a[hreflang=en]").click()
    assert "108 votes" in browser.text()


def test_right_to_left_bars_begin_at_the_right(article, browser):
    browser.open("/p/kyrgyzstan-russia,us-goals-russia")
    browser.driver.execute_script("document.documentElement.dir = 'rtl'")
    browser.shot("right-to-left")
    left, right = browser.driver.execute_script("""
        const r = document.querySelector('article').getBoundingClientRect();
        return [r.left, innerWidth - r.right]""")
    assert abs(left - right) < 1
    bar, rect = browser.driver.execute_script("""
        const b = document.querySelector('.bar');
        return [b.getBoundingClientRect().right, b.querySelector('rect').getBoundingClientRect().right]
        """)
    assert abs(bar - rect) < 1


def test_print_has_the_figures_and_no_buttons(article, browser):
    browser.look(media="print")
    browser.open("/p/us-goals-russia")
    browser.shot("print")
    assert not browser.find("button").is_displayed()
    assert not browser.find("input").is_displayed()
    assert browser.find(".figure").is_displayed()


def test_figures_are_in_the_accessibility_tree(article, browser):
    browser.open("/p/us-goals-russia")
    nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    meters = [n for n in nodes if n.get("role", {}).get("value") == "meter"]
    assert len(meters) == 4
    assert "partnership" in meters[0]["name"]["value"]
    group = [n for n in nodes if n.get("role", {}).get("value") == "group"]
    assert "goals for Russia" in group[0]["name"]["value"]


class Site(http.server.BaseHTTPRequestHandler):
    """A page of another site, by another name of this machine, with a poll in a frame."""

    def do_GET(self):
        body = f'<!doctype html><iframe width=600 height=600 src="{self.server.frame}">'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_poll_in_a_frame_of_another_site_takes_votes_in_a_window(daemon, browser, site):
    daemon.stop()
    address = f"http://localhost:{site.server_port}"
    daemon.config += f"[server]\nframe_ancestors = {address}\n"
    daemon.start()
    browser.base = f"http://127.0.0.1:{daemon.port}"
    daemon.poll("p")
    site.frame = browser.base + "/embed/p"
    browser.driver.get(address)
    driver = browser.driver
    first = driver.current_window_handle
    driver.switch_to.frame(browser.find("iframe"))
    browser.all("label.name")[1].click()
    browser.shot("framed")
    browser.find("button").click()
    WebDriverWait(driver, 30).until(lambda d: len(d.window_handles) == 2)
    driver.switch_to.window([h for h in driver.window_handles if h != first][0])
    try:
        assert "your vote was counted" in browser.news()
    finally:
        driver.close()
        driver.switch_to.window(first)
    assert daemon.tally("p")["options"][1]["votes"] == 1
    # A page that is not made for frames is not shown in one.
    site.frame = browser.base + "/p/p"
    driver.get(address)
    driver.switch_to.frame(browser.find("iframe"))
    assert not browser.all("article")
    driver.switch_to.default_content()


def test_nothing_is_asked_of_another_host_and_nothing_complains(article, awkward, browser):
    for path in PAGES:
        if path != "/p/none":
            browser.open(path)
    asked = [json.loads(entry["message"])["message"] for entry in
             browser.driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in asked
            if m["method"] == "Network.requestWillBeSent"]
    assert urls and all(url.startswith(browser.base + "/") for url in urls)
    assert browser.complaints() == []
