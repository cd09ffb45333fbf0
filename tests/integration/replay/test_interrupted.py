"""A replay that is killed goes on, and says what it would have said."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.replay import lease
from deploy.composition.replay.lease import RunTakenError
from deploy.composition.replay.replay import Replayed
from deploy.composition.replay.request import RunExistsError
from schemas.events import Event
from sinks.clickhouse.runs import chunks_done, find_run
from sinks.clickhouse.settings import ClickHouseSettings
from tests.integration.replay.replaying import ROOT, archive, replayed

CHUNK_EVENTS = 100


@contextmanager
def running(settings: ClickHouseSettings, run: str) -> Iterator[subprocess.Popen[bytes]]:
    """A slow replay in a process of its own, with some chunks written and some not."""
    account = settings.model_dump() | {"password": settings.password.get_secret_value()}
    command = [sys.executable, "-m", "tests.integration.replay.replaying", run, str(CHUNK_EVENTS), "250", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(json.dumps(account).encode())
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_chunks(client: Client, run: str, number: int) -> None:
    for _ in range(600):
        if len(chunks_done(client, run)) >= number:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was written")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GONE_AFTER_S", 1.0)


def test_after_kill_9_and_a_late_event_it_says_what_a_fresh_replay_says(
    settings: ClickHouseSettings, client: Client, week: list[Event], impatient: None
) -> None:
    late = next(event for event in reversed(week[:400]) if event.type == "tieline.work_item.closed.v1")
    archive(client, [event for event in week if event is not late])
    with running(settings, "killed") as process:
        wait_for_chunks(client, "killed", 3)
        workers = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive, "workers end with whoever gives them orders"
    done = chunks_done(client, "killed")
    archive(client, [late])  # which moves where a cut would be, and may change rows that were written in part
    found = replayed(settings, "killed", chunk_events=150, resume=True)
    assert 0 < found.tally.events < found.record.events, "what was written is not folded again"
    assert chunks_done(client, "killed").keys() > done.keys()
    assert found.record.content_hash == replayed(settings, "fresh").record.content_hash
    assert found.record.events == len(week)


def test_a_signal_ends_it_cleanly(settings: ClickHouseSettings, client: Client, week: list[Event]) -> None:
    archive(client, week[:1_200])
    with running(settings, "stopped") as process:
        wait_for_chunks(client, "stopped", 1)
        workers = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) != 0
        assert not psutil.wait_procs(workers, timeout=5)[1]
    record = find_run(client, "stopped")
    assert record is not None
    assert record.status == "failed", "so that nobody has to wait before it is resumed"


def test_of_several_that_go_on_at_once_one_is_left_and_says_what_a_fresh_replay_says(
    settings: ClickHouseSettings, client: Client, week: list[Event]
) -> None:
    archive(client, week)
    with running(settings, "raced") as process:
        wait_for_chunks(client, "raced", 3)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)

    def resumed(_: int) -> Replayed | RunTakenError:
        try:
            return replayed(settings, "raced", chunk_events=150, resume=True)
        except RunTakenError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(resumed, range(4)))
    (found,) = [each for each in ended if isinstance(each, Replayed)]
    assert found.record.content_hash == replayed(settings, "alone").record.content_hash
    assert found.record.events == len(week)


def test_nobody_takes_a_run_over_that_is_worked_on(
    settings: ClickHouseSettings, client: Client, week: list[Event], impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(client, week)
    monkeypatch.setattr(lease, "GONE_AFTER_S", 30.0)
    with running(settings, "busy"):
        wait_for_chunks(client, "busy", 1)
        with pytest.raises(RunTakenError):
            replayed(settings, "busy", resume=True)
    with pytest.raises(RunExistsError, match="--resume"):
        replayed(settings, "busy")
    with pytest.raises(RunExistsError, match="--as-of"):
        replayed(settings, "busy", resume=True, as_of=week[0].time)
