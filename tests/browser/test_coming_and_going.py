"""A store that is empty, and one that goes away: the page says so, and goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, eventually
from tests.browser.conftest import Running, embedded
from tests.browser.ward import offer
from tests.integration.embedded.tieline import children_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def empty(browser_tools: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with embedded(tmp_path_factory.mktemp("empty")) as running:
        yield running


@pytest.mark.parametrize("key", ["live", "ties", "improvement"])
def test_empty_store_says_so(browser: Browser, empty: Running, key: str) -> None:
    browser.open(f"{empty.url}d/{key}")
    eventually(lambda: "No event has arrived yet" in browser.text("#notice"), 20, "the empty store in words")
    eventually(lambda: not browser.all("main .waiting"), 30, "every panel answered")
    assert browser.all(".refused") == []
    assert browser.problems() == []


def test_empty_page_fills_by_itself(browser: Browser, empty: Running) -> None:
    browser.open(f"{empty.url}d/live")
    eventually(lambda: "No event has arrived yet" in browser.text("#notice"), 20, "the empty store in words")
    empty.send(offer("enc-first", 0, "ed-nurse", "ward-nurse"))
    eventually(lambda: "enc-first" in browser.text("#body-open-handoffs"), 20, "the first handoff")
    eventually(lambda: browser.text("#notice") == "", 20, "no notice any more")
    options = "return document.getElementById('choose-role').textContent"
    eventually(lambda: "ward-nurse" in browser.run(options), 20, "its role can be chosen")


def test_page_survives_the_store(browser: Browser, empty: Running) -> None:
    browser.open(f"{empty.url}d/live")
    eventually(lambda: "enc-first" in browser.text("#body-open-handoffs"), 20, "a handoff")
    os.kill(children_of(empty.data)["store"], signal.SIGKILL)
    eventually(lambda: "The store does not answer" in browser.text("#notice"), 20, "the notice")
    assert "enc-first" in browser.text("#body-open-handoffs")
    eventually(lambda: browser.text("#notice") == "", 90, "no notice any more")
    empty.send(offer("enc-second", 0, "ed-nurse", "ward-nurse"))
    eventually(lambda: "enc-second" in browser.text("#body-open-handoffs"), 60, "a handoff after the store is back")


def test_page_survives_the_board(browser: Browser, empty: Running) -> None:
    browser.open(f"{empty.url}d/live")
    eventually(lambda: "looked at" in browser.text("#looked"), 20, "a look")
    os.kill(children_of(empty.data)["board"], signal.SIGKILL)
    eventually(lambda: "does not answer" in browser.text("#looked"), 20, "the board is away")
    eventually(lambda: "looked at" in browser.text("#looked"), 60, "the board is back")
