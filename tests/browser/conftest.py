"""A headless Chromium, started once, as if fresh for each test; and tallyd beside it."""
import base64
import os
import pathlib
import sys

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
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

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def fresh(self, base):
        self.base = base
        self.driver.get("about:blank")
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
