"""Figures that move while a reader looks: one stream for a page, other ways where it is held back,
and votes on tallyd's own page when the way there is broken for a while."""
import json

import pytest

import front
import harness


def open_streams(browser, known):
    """The requests for streams that neither ended nor were given up; `known` collects them."""
    for entry in browser.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        about = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent" and "/v1/events" in about["request"]["url"]:
            known[about["requestId"]] = about["request"]["url"].split("ids=")[1].split(",")
        elif message["method"] in ("Network.loadingFinished", "Network.loadingFailed"):
            known.pop(about["requestId"], None)
    return list(known.values())


@pytest.fixture
def proxy(tmp_path):
    one = front.Front(tmp_path / "proxy")
    yield one
    one.end()


@pytest.fixture
def behind(proxy, daemon, browser):
    """tallyd's own pages, by way of a proxy: start(more) gives it more lines."""
    daemon.stop()
    daemon.config += (f"[server]\npublic_url = http://127.0.0.1:{proxy.port}/polls\n"
                      "trusted_proxies = 127.0.0.1\n")
    daemon.start()
    browser.base = f"http://127.0.0.1:{proxy.port}/polls"

    def start(more=""):
        proxy.start(more + front.to_tallyd(daemon, "/polls"))
    start()
    return start


def test_a_page_shows_in_a_second_window_what_the_first_votes(daemon, browser):
    daemon.poll("p", carried=[1, 0, 0, 0])
    driver = browser.driver
    first = driver.current_window_handle
    browser.open("/p/p")
    driver.switch_to.new_window("window")
    try:
        browser.open("/p/p")
        browser.all("label.name")[1].click()
        browser.find("button").click()
        assert "was counted" in browser.news()
    finally:
        driver.close()
        driver.switch_to.window(first)
    browser.until(lambda: "1 (50%)" in browser.text())
    assert "2 votes" in browser.text() and "tied for first place" in browser.text()
    bars = browser.all(".bar")
    assert [b.get_attribute("aria-valuenow") for b in bars] == ["0.5", "0.5", "0", "0"]
    lengths = [b.get_attribute("width") for b in browser.all(".bar rect")]
    assert lengths == ["50%", "50%", "0%", "0%"]


def test_a_page_of_several_polls_has_one_stream(daemon, browser):
    for poll in ("a", "b", "c"):
        daemon.poll(poll)
    browser.open("/p/a,b,c")
    known = {}
    browser.until(lambda: open_streams(browser, known) == [["a", "b", "c"]])
    daemon.vote("b", 1, "v")
    browser.until(lambda: browser.find("#b .total").text == "1 vote")


def test_the_widgets_of_a_page_share_streams_of_20_polls(daemon, site, browser):
    polls = [f"p{i:02}" for i in range(21)]
    for poll in polls:
        daemon.poll(poll)
    browser.driver.get(site.page(polls))
    known = {}
    browser.until(lambda: sorted(map(len, open_streams(browser, known))) == [1, 20])
    daemon.vote("p20", 1, "v")
    browser.until(lambda: browser.widget("p20").find(".total").get_property("textContent") == "1 vote")


def test_a_stream_ends_when_nobody_can_see_it(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    known = {}

    def streams(n):
        browser.until(lambda: len(open_streams(browser, known)) == n)
    streams(1)
    hide = ("Object.defineProperty(document, 'hidden', { configurable: true, value: arguments[0] });"
            "document.dispatchEvent(new Event('visibilitychange'))")
    browser.run(hide, True)
    streams(0)
    browser.run(hide, False)
    streams(1)
    browser.run("document.querySelector('h1').style.marginBottom = '5000px'")
    streams(0)
    daemon.vote("p", 1, "v")
    browser.run("document.querySelector('tally-poll').scrollIntoView()")
    streams(1)
    browser.widget("p").shows("1 (100%)")
    browser.run("document.querySelector('tally-poll').remove()")
    streams(0)


@pytest.mark.parametrize("broken", [
    "location /polls/v1/events { return 503; }",
    "location /polls/v1/events { add_header Content-Type text/event-stream; return 200 ':'; }",
], ids=["refused", "empty"])
def test_where_a_proxy_holds_streams_back_the_figures_move_all_the_same(
        daemon, behind, browser, broken):
    behind(broken)
    daemon.poll("p")
    daemon.poll("q")
    browser.open("/p/p")
    daemon.vote("p", 1, "v")
    browser.until(lambda: "1 (100%)" in browser.text())
    assert any("/tally?wait=" in url for url, _, _ in browser.requests())
    browser.open("/p/p,q")
    daemon.vote("q", 1, "v")
    browser.until(lambda: browser.find("#q .total").text == "1 vote")
    assert any("/v1/tallies?ids=p,q" in url for url, _, _ in browser.requests())


def test_a_vote_is_repeated_until_the_daemon_is_back_and_counts_once(daemon, behind, browser):
    daemon.poll("p")
    browser.open("/p/p")
    browser.all("label.name")[1].click()
    daemon.stop()
    browser.find("button").click()
    browser.until(lambda: "is sent again, and counts once" in browser.find(".news").text)
    assert not browser.find("button").is_enabled()
    browser.shot("sent-again")
    daemon.start()
    behind()
    browser.until(lambda: "was counted" in browser.find(".news").text)
    assert daemon.tally("p")["votes"] == 1
    daemon.vote("p", 1, "v")
    browser.until(lambda: "1 (50%)" in browser.text())


def test_a_vote_whose_answer_breaks_off_is_sent_again_and_counts_once(daemon, site, browser):
    daemon.poll("p")
    browser.before_each_page("""
        const {text} = Response.prototype;
        let breaks = true;
        Response.prototype.text = function () {
          if (!breaks || !/done=/.test(this.url)) return text.call(this);
          breaks = false;
          return Promise.reject(new TypeError('network error'));
        };""")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.vote(1)
    browser.until(lambda: "your vote stands" in widget.news() and not widget.all("button"))
    assert daemon.tally("p")["votes"] == 1
    sent = [url for url, _, how in browser.requests() if how == "POST" and "/p/p" in url]
    assert len(sent) == 2


def test_a_page_that_cannot_be_read_again_stays_as_it_is(daemon, behind, browser):
    daemon.poll("p")
    daemon.poll("q")
    browser.open("/p/p,q")
    behind("location = /polls/p/p,q { return 503 '<main><article>Busy</article></main>'; }")
    daemon.admin("PATCH", "/v1/polls/p", {"title": "Asked otherwise"})
    daemon.vote("q", 1, "v")
    browser.until(lambda: browser.find("#q .total").text == "1 vote")
    assert browser.find("#p button").is_displayed() and "Busy" not in browser.text()
    behind()
    daemon.admin("PATCH", "/v1/polls/p", {"title": "Asked again"})
    browser.until(lambda: "Asked again" in browser.text())


def test_without_a_network_a_vote_waits_for_it(daemon, site, browser):
    daemon.poll("p")
    browser.driver.get(site.page(["p"]))
    widget = browser.widget("p")
    widget.find("button")
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.cdp("Network.enable")
    browser.cdp("Network.emulateNetworkConditions", offline=True, **network)
    try:
        widget.vote(1)
        assert "No connection. Your vote is sent again" in widget.news()
        browser.shot("offline")
    finally:
        browser.cdp("Network.emulateNetworkConditions", offline=False, **network)
    browser.until(lambda: "was counted" in widget.news())
    assert daemon.tally("p")["votes"] == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_without_cookies_the_page_says_what_it_needs(daemon, behind, proxy, browser, scripts):
    proxy.start(front.to_tallyd(daemon, "/polls", more="proxy_hide_header Set-Cookie;"))
    daemon.poll("p")
    browser.scripts(scripts)
    browser.open("/p/p")
    browser.all("label.name")[1].click()
    browser.find("button").click()
    assert "Please allow cookies for this site" in browser.news()
    assert daemon.tally("p")["votes"] == 0


def test_results_after_the_vote_stay_live_on_the_page_by_its_cookie(daemon, browser):
    daemon.poll("p", results="after_vote")
    browser.open("/p/p")
    assert not browser.all(".figure")
    browser.all("label.name")[0].click()
    browser.find("button").click()
    assert "was counted" in browser.news() and "1 (100%)" in browser.text()
    daemon.vote("p", 2, "v")
    browser.until(lambda: "1 (50%)" in browser.text())
    assert "was counted" in browser.text() and not browser.all("form")
    assert browser.complaints() == []


def test_the_end_is_told_in_the_readers_own_time(daemon, browser):
    daemon.poll("p", closes_at="2035-11-23T08:40:12Z")
    browser.cdp("Emulation.setTimezoneOverride", timezoneId="Asia/Vladivostok")
    try:
        browser.language("ru")
        browser.open("/p/p")
        browser.until(lambda: "18:40" in browser.find("time").text)
        assert "23 ноября 2035" in browser.find("time").text
        assert "08:40 UTC" in browser.find("time").get_attribute("title")
    finally:
        browser.cdp("Emulation.setTimezoneOverride", timezoneId="")


def test_a_frame_is_as_high_as_its_poll(daemon, site, browser):
    daemon.poll("p", options=[{"label": "a label that has to wrap " * 8}] * 3)
    daemon.stop()
    daemon.config += f"frame_ancestors = {site.address}\n"
    daemon.start()
    tallyd = f"http://127.0.0.1:{daemon.port}"
    site.start(tallyd, policy="")
    site.page([], f"""<iframe src="{tallyd}/embed/p" width=400 height=10></iframe><script>
addEventListener('message', (event) => {{
  if (event.origin !== '{tallyd}' || event.data.tallyd !== 'height') return;
  for (const frame of document.querySelectorAll('iframe'))
    if (frame.contentWindow === event.source) frame.height = event.data.height;
}});</script>""")
    browser.driver.get(site.address + "/page.html")
    browser.until(lambda: browser.find("iframe").rect["height"] > 200)
    browser.driver.switch_to.frame(browser.find("iframe"))
    inside = browser.run("return [innerHeight, document.documentElement.scrollHeight]")
    browser.driver.switch_to.default_content()
    assert inside[0] == inside[1]
    browser.shot("frame")
