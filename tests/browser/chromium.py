"""A headless Chromium that can reach this machine and nothing else, and what it says about a page."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.brokers import must_run

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-GB",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_OWN = {"data", "chrome", "chrome-untrusted", "devtools"}
"""Of the browser itself, such as its page for a new tab: nothing is asked of anybody."""


@contextmanager
def chromium(profile: Path, width: int = 1440, height: int = 1000) -> Iterator[Browser]:
    """A browser with an empty profile. Skips where there is none, except in CI."""
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if browser is None or driver is None:
        reason = "browser tests need chromium and chromedriver (Debian: apt install chromium chromium-driver)"
        if must_run():
            pytest.fail(reason)
        pytest.skip(reason)
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(service=Service(driver), options=options)
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()


class Browser:
    """What tests do with a page."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome
        self.requested: list[str] = []

    def fresh(self) -> None:
        """Forget cookies, sizes, preferences and what was said before."""
        self.open("about:blank")
        self.chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        self.problems()
        self.foreign_requests("")
        self.requested.clear()

    def open(self, url: str) -> None:
        self.chrome.get(url)

    def text(self, selector: str) -> str:
        """Visible text of the first match; empty: no such element, or it was just replaced."""
        try:
            found = self.all(selector)
            return found[0].text if found else ""
        except StaleElementReferenceException:
            return ""

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def size(self, width: int, height: int, mobile: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefers(self, scheme: str) -> None:
        """`light` or `dark`, as the system would say it."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def problems(self) -> list[str]:
        """What the console said since the last time, but for plain information."""
        entries: list[dict[str, Any]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def foreign_requests(self, own: str) -> list[str]:
        """Addresses asked for that are not the board's, since the browser started."""
        entries: list[dict[str, Any]] = self.chrome.get_log("performance")  # type: ignore[no-untyped-call]
        for entry in entries:
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self.requested.append(message["params"]["url"])
        host = urlsplit(own).netloc
        return [url for url in self.requested if urlsplit(url).netloc != host and urlsplit(url).scheme not in _OWN]


def eventually(holds: Callable[[], object], within_s: float, what: str) -> float:
    """Look until it holds; returns the seconds it took. Fails if it never does."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < within_s:
        if holds():
            return time.monotonic() - began_s
        time.sleep(0.03)
    raise AssertionError(f"not within {within_s:g} s: {what}")
