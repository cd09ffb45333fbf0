"""Pictures of every dashboard, from the demonstration: `python -m tests.browser.screenshots`.

Runs the demo with many weeks of history in a folder of its own and writes `docs/images/*.png`. Takes some minutes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.dashboards.catalogue import BOARD
from deploy.embedded.instance import Instance, running_instance
from schemas.events import Event
from tests.browser.chromium import Browser, chromium, eventually
from tests.browser.ward import send
from tests.builders import T0, event

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
WEEKS = 30
_TIE = "process=ed-to-ward&one_role=ed-physician&other_role=ward-physician"
_QUERIES = {"ties": f"?{_TIE}&from=now-180d", "improvement": f"?{_TIE}&from=now-210d&dimension=timeliness"}
_QUERIES["pipeline"] = "?from=now-1h"
_READY_S = 900.0


@contextmanager
def demonstration(data: Path) -> Iterator[Instance]:
    """The demo on a folder, once all its history is in the store and events come live."""
    command = [sys.executable, "-m", "deploy.cli", "demo", "--data", str(data), "--weeks", str(WEEKS)]
    said = data.parent / "demo.out"
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        eventually(lambda: process.poll() is not None or "on the board" in said.read_text(), _READY_S, "the demo")
        instance = running_instance(data)
        assert instance is not None, said.read_text()
        yield instance
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def main() -> None:
    """Optional argument: the data folder of a demo that runs already."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if len(sys.argv) > 1:
            instance = running_instance(Path(sys.argv[1]))
            assert instance is not None, "nothing runs there"
            shoot(instance, folder / "profile")
            return
        with demonstration(folder / "data") as started:
            shoot(started, folder / "profile")


def shoot(instance: Instance, profile: Path) -> None:
    """All pictures of a running demo."""
    send(f"127.0.0.1:{instance.ports['broker']}", [_huddle()])
    with chromium(profile) as browser:
        browser.prefers("light")
        for dashboard in BOARD:
            _picture(browser, instance, dashboard.key, f"d/{dashboard.key}{_QUERIES.get(dashboard.key, '')}", 1440)
        _picture(browser, instance, "phone", "d/live", 390, 844)
        _picture(browser, instance, "wall", "d/live?wall=1", 1920, 1080)
        browser.prefers("dark")
        _picture(browser, instance, "live-dark", "d/live", 1440)
        assert browser.problems() == []


def _picture(browser: Browser, instance: Instance, name: str, path: str, width: int, height: int = 0) -> None:
    """One page once all its panels are there; `height` 0: all of it."""
    browser.size(width, height or 1000, mobile=width < 600)
    browser.open(instance.board_url + path)
    eventually(lambda: browser.all("main .panel") and not browser.all("main .waiting"), 180, f"{name} answered")
    drawn = "return [...document.querySelectorAll('[data-chart]')].every((place) => place.querySelector('canvas'))"
    eventually(lambda: browser.run(drawn), 20, f"charts of {name}")
    if not height:
        browser.size(width, int(browser.run("return document.documentElement.scrollHeight")))
    time.sleep(1.5)  # one more look, and charts have their final size
    (IMAGES / f"{name}.png").write_bytes(browser.chrome.get_screenshot_as_png())


def _huddle() -> Event:
    """A change that somebody tried, for the charts to mark."""
    since = datetime.now(UTC) - timedelta(weeks=9)
    return event(
        "intervention.started",
        (since - T0).total_seconds() / 60,
        id="huddle",
        subject="huddle",
        process="ed-to-ward",
        source="/demo/improvement",
        name="Bed huddle at 9 and 15",
        kind="process",
        hypothesis="Handoffs to the ward are answered in time when both sides meet twice a day.",
        owner_role="bed-manager",
    )


if __name__ == "__main__":
    main()
