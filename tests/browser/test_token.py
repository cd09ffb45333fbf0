"""A board of its own beside a store: `tieline board`, with a token and the reader's account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPErrorProcessor, Request, build_opener

import pytest

from deploy.embedded.instance import free_port, running_instance
from tests.browser.chromium import Browser, eventually
from tests.browser.conftest import Running
from tests.integration.embedded.tieline import ROOT, children_of, run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TOKEN = "a-long-random-token-0123456789"


@dataclass(frozen=True)
class Guarded:
    """A board that asks for `TOKEN`."""

    url: str
    process: subprocess.Popen[bytes]


class _AsItIs(HTTPErrorProcessor):
    """Redirects and refusals are answers, not errors."""

    def http_response(self, request: object, response: object) -> object:  # type: ignore[override]
        return response


@pytest.fixture(scope="module")
def guarded(ward: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    instance = running_instance(ward.data)
    assert instance is not None
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(TOKEN)
    port = free_port()
    store = f"http://127.0.0.1:{instance.ports['store']}/tieline"
    command = ["board", "--clickhouse-url", store, "--port", str(port), "--token-file", str(folder / "token")]
    account = {
        "TIELINE_CLICKHOUSE_USER": "reader",
        "TIELINE_CLICKHOUSE_PASSWORD": instance.passwords["reader"],
    }
    process = subprocess.Popen([sys.executable, "-m", "deploy.cli", *command], cwd=ROOT, env={**os.environ, **account})
    try:
        url = f"http://127.0.0.1:{port}/"
        eventually(lambda: _status(f"{url}health") == 200, 30, "the board")
        yield Guarded(url, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def _status(url: str, **headers: str) -> int:
    """Of a GET; 0: nobody answers."""
    asked = Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with build_opener(_AsItIs).open(asked, timeout=10) as response:
            return int(response.status)
    except HTTPError as refused:
        return refused.code
    except OSError:
        return 0


@pytest.mark.parametrize("path", ["d/live", "live/live", ""])
def test_nothing_is_shown_without_the_token(guarded: Guarded, path: str) -> None:
    assert _status(guarded.url + path) == 401
    assert _status(guarded.url + path, Authorization="Bearer wrong") == 401


def test_program_shows_the_token_as_bearer(guarded: Guarded) -> None:
    assert _status(f"{guarded.url}d/live", Authorization=f"Bearer {TOKEN}") == 200


def test_other_names_and_other_sites_are_refused(ward: Running) -> None:
    assert _status(f"{ward.url}d/live", Host="evil.example.org") == 421
    assert _status(f"{ward.url}live/live", Origin="http://evil.example.org") == 403


def test_person_logs_in_once_and_sees_the_page_live(browser: Browser, guarded: Guarded) -> None:
    browser.open(f"{guarded.url}d/live?urgency=urgent")
    browser.all("#token")[0].send_keys(TOKEN)
    browser.all("button")[0].click()
    eventually(lambda: "enc-late" in browser.text("#body-open-handoffs"), 20, "figures after the log-in")
    assert browser.chrome.current_url.endswith("/d/live?urgency=urgent")
    eventually(lambda: "looked at" in browser.text("#looked"), 20, "live figures")
    assert browser.run("return document.cookie") == ""
    browser.open(f"{guarded.url}d/live")
    eventually(lambda: "enc-late" in browser.text("#body-open-handoffs"), 20, "figures without another log-in")


def test_link_with_the_token_does_not_keep_it(browser: Browser, guarded: Guarded) -> None:
    browser.open(f"{guarded.url}?token={TOKEN}")
    eventually(lambda: "enc-late" in browser.text("#body-open-handoffs"), 20, "figures")
    assert TOKEN not in browser.chrome.current_url


def test_wrong_token_is_said_to_be_wrong(browser: Browser, guarded: Guarded) -> None:
    browser.open(f"{guarded.url}d/live")
    browser.all("#token")[0].send_keys("something-else-entirely")
    browser.all("button")[0].click()
    eventually(lambda: "not the board's token" in browser.text("[role=alert]"), 10, "the refusal in words")


def test_listening_wider_without_a_token_is_refused() -> None:
    done = run("board", "--host", "0.0.0.0", "--clickhouse-url", "http://127.0.0.1:1/tieline")
    assert done.returncode == 78
    assert "--token-file" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of another process in /proc")
def test_board_of_the_embedded_default_knows_the_readers_password_only(ward: Running) -> None:
    instance = running_instance(ward.data)
    assert instance is not None
    environment = Path(f"/proc/{children_of(ward.data)['board']}/environ").read_bytes().decode()
    assert instance.passwords["reader"] in environment
    assert not any(instance.passwords[user] in environment for user in ("tieline", "auditor", "owner"))
