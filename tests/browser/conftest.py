"""A headless Chromium, started once, as if fresh for each test; and tallyd beside it."""
import base64
import json
import os
import pathlib
import sys

import pytest
from selenium import webdriver
from selenium.common.exceptions import (NoSuchElementException, NoSuchShadowRootException,
                                        StaleElementReferenceException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
import front  # noqa: E402
import harness  # noqa: E402

SHOTS = pathlib.Path(os.environ["TALLYD_BUILD"]) / "screenshots"
# Root has no sandbox here, and a closed network has nothing for the browser's own wishes.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars"]


class Browser:
    """Chromium, and what a test wants of it."""

    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={folder}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.base = None
        self.added = []

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def fresh(self, base):
        self.base = base
        self.driver.get("about:blank")
        for identifier in self.added:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=identifier)
        self.added = []
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Network.clearBrowserCache")
        self.cdp("Emulation.setScriptExecutionDisabled", value=False)
        self.cdp("Network.setExtraHTTPHeaders", headers={})
        self.look()
        self.size(1000)
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def size(self, width, height=800):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def look(self, scheme="light", media=""):
        self.cdp("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def language(self, tag):
        self.cdp("Network.setExtraHTTPHeaders", headers={"Accept-Language": tag})

    def scripts(self, on):
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def open(self, path):
        self.driver.get(self.base + path)

    def find(self, css):
        return self.driver.find_element("css selector", css)

    def until(self, what):
        """Waits until what() is something, and returns that; elements may go away meanwhile."""
        return WebDriverWait(self.driver, harness.START_S, ignored_exceptions=[
            StaleElementReferenceException, NoSuchElementException, NoSuchShadowRootException,
        ]).until(lambda _: what())

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def before_each_page(self, script):
        """Runs a script in each page, before the page's own, until the next test."""
        added = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
        self.added.append(added["identifier"])

    def widget(self, poll):
        return Widget(self, poll)

    def requests(self):
        """(URL, header fields, method) of what was asked for since the last call."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked = message["params"]["request"]
                found.append((asked["url"], asked["headers"], asked["method"]))
        return found

    def news(self):
        """What the next page, or this one, says of a vote."""
        return WebDriverWait(self.driver, harness.START_S).until(
            lambda driver: driver.find_element("css selector", ".news")).text

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def text(self):
        return self.find("body").text

    def shot(self, name):
        """Keeps a picture for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        picture = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]


class Widget:
    """The inside of a <tally-poll>; its elements are looked up each time, as they are replaced."""

    def __init__(self, browser, poll):
        self.browser = browser
        self.css = f'tally-poll[poll="{poll}"]'

    def all(self, css):
        shadow = self.browser.find(self.css).shadow_root
        return shadow.find_elements("css selector", css)

    def find(self, css):
        return self.browser.until(lambda: (self.all(css) or [None])[0])

    def text(self):
        return self.find("article").text

    def shows(self, text):
        """Waits until it does."""
        self.browser.until(lambda: text in self.text())

    def vote(self, number):
        self.find("button")
        self.all("label")[number - 1].click()
        self.all("button")[0].click()

    def news(self):
        return self.find(".news").text


class Site:
    """Pages of another origin, with a policy as strict as it can be; tallyd lets them vote."""

    POLICY = "default-src 'none'; script-src {0}; connect-src {0}; style-src 'none'"

    def __init__(self, folder, daemon):
        self.front = front.Front(folder)
        self.daemon = daemon
        self.address = f"http://localhost:{self.front.port}"

    def start(self, tallyd, policy=POLICY):
        """The widget is loaded from `tallyd`, under a policy or none."""
        self.tallyd = tallyd
        origin = "/".join(tallyd.split("/")[:3])
        self.front.start(f'add_header Content-Security-Policy "{policy.format(origin)}";\n')
        return self

    def page(self, polls, html=""):
        """The address of a page with these widgets, each an id or its attributes."""
        tags = "".join(f"<tally-poll {p if '=' in p else f'poll={p}'}><a>Poll</a></tally-poll>\n"
                       for p in polls)
        text = ('<html lang="en"><meta charset="utf-8"><title>A site</title>'
                '<meta name="viewport" content="width=device-width">'
                f'<script type="module" src="{self.tallyd}/widget.js"></script>'
                f"<main><h1>A site</h1>{html}{tags}</main>")
        self.front.write("page.html", text)
        return self.address + "/page.html"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp("chromium"))
    yield one
    one.driver.quit()


@pytest.fixture
def daemon(tmp_path):
    one = harness.Daemon(tmp_path).start()
    yield one
    one.end()


@pytest.fixture
def browser(chromium, daemon):
    chromium.fresh(f"http://127.0.0.1:{daemon.port}")
    return chromium


@pytest.fixture
def site(tmp_path, daemon, browser):
    """A site whose pages may vote, at another name of this machine."""
    one = Site(tmp_path / "site", daemon)
    daemon.stop()
    daemon.config += f"[server]\norigins = {one.address}\n"
    daemon.start()
    browser.base = f"http://127.0.0.1:{daemon.port}"
    yield one.start(browser.base)
    one.front.end()
