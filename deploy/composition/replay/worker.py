"""A process that folds chunks: it is given one after another, and says what it has done."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.embedded.parent import request_death_signal
from schemas.errors import ConfigError, TielineError, TransientError
from sinks.clickhouse.faults import fault_of
from sinks.clickhouse.replay_writer import FLUSH_ROWS, ReplayWriter
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.replay.pace import Pace
from streams.replay.process import Tally, replay
from streams.replay.scope import Scope
from streams.replay.source import Chunk, Source, WorkItemEvents

NICENESS = 10
"""Below what is live."""
_SAY_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know before its first chunk; pickles.

    Attributes:
        rate: events per second of this worker; 0: as fast as it goes.
        niceness: how far it gives way to others.
    """

    source: Source
    scope: Scope
    clickhouse: ClickHouseSettings
    rate: float = 0.0
    flush_rows: int = FLUSH_ROWS
    niceness: int = NICENESS


class Ready(NamedTuple):
    """It takes another chunk, or None when there is none."""


class Passed(NamedTuple):
    """So many events have gone through the fold since the last time."""

    events: int


class Written(NamedTuple):
    """All rows of a chunk are acknowledged."""

    chunk: str
    tally: Tally


class Ended(NamedTuple):
    """Everything is written; with what it used: CPU-seconds of all its threads, and its largest resident memory."""

    cpu_s: float
    peak_mib: float


class Failed(NamedTuple):
    """It cannot go on. `kind` is one of the error tree's names."""

    kind: str
    what: str


Said = Ready | Passed | Written | Ended | Failed


def work(job: Job, orders: Connection) -> None:
    """The whole life of a worker. It ends by itself when whoever gives orders is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; whoever gives orders decides
    request_death_signal(signal.SIGTERM)
    if hasattr(os, "nice"):
        os.nice(job.niceness)
    voice = _Voice(orders)
    try:
        _work(job, orders, voice)
        voice.say(Ended(time.process_time(), _peak_mib()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except TielineError as error:
        voice.say(Failed(type(error).__name__, str(error)))
    except ClickHouseError as error:
        voice.say(Failed("InvariantError", f"the store refused a row: {fault_of(error).label}"))


def error_of(failed: Failed) -> TielineError:
    """The error that a worker had, to be raised here."""
    kinds: dict[str, type[TielineError]] = {"ConfigError": ConfigError, "TransientError": TransientError}
    return kinds.get(failed.kind, TielineError)(failed.what)


def _work(job: Job, orders: Connection, voice: _Voice) -> None:
    writer = ReplayWriter(connect(job.clickhouse), job.flush_rows)
    pace = Pace(job.rate)
    try:
        while True:
            voice.say(Ready())
            chunk: Chunk | None = orders.recv()
            if chunk is None:
                break
            tally = replay(_told(job.source.read(chunk), voice), job.scope, writer, pace.passed)
            written = Written(chunk.id, tally)
            writer.once_written(lambda written=written: voice.say(written))  # type: ignore[misc]
        writer.flush()
    finally:
        writer.close()


def _told(items: Iterator[WorkItemEvents], voice: _Voice) -> Iterator[WorkItemEvents]:
    said_at_s, events = time.monotonic(), 0
    for item in items:
        yield item
        events += len(item.payloads)
        if time.monotonic() - said_at_s >= _SAY_EVERY_S:
            voice.say(Passed(events))
            said_at_s, events = time.monotonic(), 0
    voice.say(Passed(events))


def _peak_mib() -> float:
    """The kernel's high-water mark since this process began; 0 where it keeps none. Not `getrusage`: that begins with
    what the parent had."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return 0.0
    return int(found.group(1)) / 1024 if found else 0.0


class _Voice:
    """What is said from two threads, one message at a time."""

    def __init__(self, orders: Connection) -> None:
        self._orders, self._one_at_a_time = orders, threading.Lock()

    def say(self, said: Said) -> None:
        with self._one_at_a_time:
            self._orders.send(said)
