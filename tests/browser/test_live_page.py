"""Open handoffs, live."""

from __future__ import annotations

import statistics

import pytest

from tests.browser.chromium import Browser, eventually
from tests.browser.conftest import Running
from tests.browser.ward import offer

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_TABLE = "#body-open-handoffs"


def _live(browser: Browser, ward: Running, query: str = "") -> None:
    browser.open(f"{ward.url}d/live{query}")
    eventually(lambda: browser.all(f"{_TABLE} tbody tr"), 20, "open handoffs")


def test_open_handoff_appears_within_two_seconds_of_its_event(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    took_s = []
    for number in range(5):
        item = f"enc-new-{number}"
        ward.send(offer(item, 0, "ed-nurse", "ward-nurse", who=4))
        took_s.append(eventually(lambda item=item: item in browser.text(_TABLE), 20, item))  # type: ignore[misc]
    assert statistics.median(took_s) < 2.0, took_s


def test_first_page_shows_overdue_handoffs_first_and_in_words(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    first = browser.text(f"{_TABLE} tbody tr")
    assert "enc-late" in first
    assert "overdue" in first
    assert "ago" in first
    weight = browser.run(f"return getComputedStyle(document.querySelector('{_TABLE} tbody td')).fontWeight")
    assert int(weight) >= 700


def test_filter_changes_every_panel_and_the_link(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    browser.all("#choose-role > summary")[0].click()
    browser.all("#choose-role input[value='cardiology']")[0].click()
    eventually(lambda: "enc-late" not in browser.text(_TABLE), 10, "only cardiology")
    eventually(lambda: "enc-heart" in browser.text(_TABLE), 10, "cardiology's handoff")
    eventually(lambda: browser.text("#body-open-count .big") == "1", 10, "the count follows")
    assert browser.all(".waiting") == []
    assert "role=cardiology" in browser.chrome.current_url
    assert "role=cardiology" in str(browser.all("#tabs a")[1].get_attribute("href"))


def test_link_keeps_the_choice_and_back_takes_it_away(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    before = browser.chrome.current_url
    browser.all("#choose-site > summary")[0].click()
    browser.all("#choose-site input[value='ward-b']")[0].click()
    eventually(lambda: "enc-heart" not in browser.text(_TABLE), 10, "only ward-b")
    eventually(lambda: "enc-north" in browser.text(_TABLE), 10, "ward-b's handoff")
    chosen = browser.chrome.current_url
    browser.open(chosen)
    eventually(lambda: "enc-north" in browser.text(_TABLE), 10, "the link's choice")
    assert "enc-heart" not in browser.text(_TABLE)
    assert browser.text("#choose-site .said") == "ward-b"
    browser.chrome.back()
    eventually(lambda: "enc-heart" in browser.text(_TABLE), 10, "all again")
    assert browser.chrome.current_url == before
    assert browser.text("#choose-site .said") == "all"


def test_choice_without_an_open_handoff_says_so(browser: Browser, ward: Running) -> None:
    browser.open(f"{ward.url}d/live?role=nobody")
    eventually(lambda: "No handoff is open for this choice" in browser.text(_TABLE), 20, "the empty answer in words")
    assert "nobody (nothing now)" in str(browser.run("return document.getElementById('choose-role').textContent"))


def test_page_says_when_it_looked(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    eventually(lambda: "looked at" in browser.text("#looked"), 10, "looked at")
    first = browser.text("#looked")
    eventually(lambda: browser.text("#looked") != first, 10, "a later look")


def test_page_paints_within_a_second(browser: Browser, ward: Running) -> None:
    _live(browser, ward)
    browser.open(f"{ward.url}d/live")
    painted = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    eventually(lambda: browser.run(painted), 10, "a first paint")
    assert browser.run(painted) < 1000


def test_wall_screen_is_large_and_has_nothing_to_press(browser: Browser, ward: Running) -> None:
    _live(browser, ward, "?wall=1")
    assert browser.text("#open-count") == ""
    assert not any(element.is_displayed() for element in browser.all("button, select, summary, nav a"))
    assert browser.run("return parseFloat(getComputedStyle(document.querySelector('.big')).fontSize)") > 60
