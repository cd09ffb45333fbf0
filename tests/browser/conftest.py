"""The embedded default with a board, and a browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.embedded.instance import running_instance
from schemas.events import Event
from tests.browser.chromium import Browser, chromium
from tests.browser.ward import history, offer, send, tickets
from tests.integration.embedded.tieline import up


@dataclass(frozen=True)
class Running:
    """A running embedded default.

    Attributes:
        url: of its board, with a slash at the end.
    """

    data: Path
    url: str
    broker: str

    def send(self, *events: Event) -> None:
        send(self.broker, list(events))


@contextmanager
def embedded(folder: Path) -> Iterator[Running]:
    """One in a folder of its own, empty at first."""
    with up(folder / "data"):
        instance = running_instance(folder / "data")
        assert instance is not None
        yield Running(folder / "data", instance.board_url, f"127.0.0.1:{instance.ports['broker']}")


@pytest.fixture(scope="package")
def ward(browser_tools: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Open handoffs for two roles; one tie that may be shown, one of too few people; tickets."""
    with embedded(tmp_path_factory.mktemp("ward")) as running:
        running.send(
            *history(("ed-nurse", "ward-nurse"), people=6, items=60, name="many"),
            *history(("ed-physician", "cardiology"), people=2, items=20, name="few"),
            *tickets(60),
            offer("enc-late", 300, "ed-nurse", "ward-nurse", urgency="urgent"),
            offer("enc-north", 5, "ed-nurse", "ward-nurse", site="ward-b", who=2),
            offer("enc-heart", 5, "ed-physician", "cardiology", who=3),
        )
        yield running


@pytest.fixture(scope="package")
def browser_tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests. Skips, or fails in CI, before anything else is started."""
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def browser(browser_tools: Browser) -> Browser:
    """The browser as if it had just been started, but for what it has kept of scripts and styles."""
    browser_tools.fresh()
    return browser_tools
