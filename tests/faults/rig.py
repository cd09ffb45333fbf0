"""What fault tests stand on: a Tieline of real processes under load, what it holds and what it says."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from deploy.kafka.broker import free_port
from schemas.events import Event
from streams.simulation.scenario import Scenario
from tests.brokers import Broker
from tests.integration.pipeline.conftest import DEMO_POLICY, KEY
from tests.integration.pipeline.running import AS_OF, Hash, Running

ROUNDS_ENV = "TIELINE_FAULT_ROUNDS"
WAIT_S = 300.0


def rounds(default: int, most: int | None = None) -> int:
    """How often a fault is made: `TIELINE_FAULT_ROUNDS`, else `default`; never more than `most`."""
    wanted = int(os.environ.get(ROUNDS_ENV) or default)
    return min(wanted, most) if most else wanted


def weeks_of_events(weeks: int) -> list[Event]:
    """The simulated scenario in order of time: 3,500 events for one week, 2,700 for each more."""
    return list(Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), KEY.hash_actor, weeks=weeks).history())


class Rig(Running):
    """A Tieline to be disturbed; processes are called `store`, `infer`, `sink`, or as `start_app` was told."""

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        policy: Path = DEMO_POLICY,
        as_of: str = AS_OF,
        app_env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(broker, folder, policy, as_of, {"TIELINE_LOG_FORMAT": "json", **(app_env or {})})
        self._metrics: dict[str, int] = {}

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> None:
        if "worker" in command:
            port = self._metrics.setdefault(name, free_port())
            env = {"TIELINE_METRICS": f"127.0.0.1:{port}", **env}
        super()._start(name, command, env)

    def pid(self, name: str) -> int:
        """Of a running process."""
        return self._processes[name].pid

    def ended(self, name: str) -> int | None:
        """The exit code of a process that ended by itself, None while it runs."""
        return self._processes[name].poll()

    def kill_and_restart(self, names: Sequence[str]) -> None:
        """kill -9 of all, then all again; a second worker of an app is called `<app>-…`."""
        for name in names:
            self.kill(name)
        for name in names:
            self.start_app(name.split("-")[0], name)

    def stop_timed(self, name: str) -> tuple[int, float]:
        """SIGTERM: (exit code, seconds until the process was gone)."""
        began_s = time.monotonic()
        return self.stop(name), time.monotonic() - began_s

    def log(self, name: str) -> list[str]:
        """Every line that a process has said, in all of its lives."""
        path = self.folder / f"{name}.out"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def said(self, name: str, words: str) -> int:
        """How many lines of its log hold these words."""
        return sum(words in line for line in self.log(name))

    def wait_until_said(self, name: str, words: str, times: int = 1, timeout_s: float = WAIT_S) -> None:
        """Until so many lines of its log hold these words."""
        deadline_s = time.monotonic() + timeout_s
        while self.said(name, words) < times:
            assert time.monotonic() < deadline_s, "\n".join([f"{name} never said: {words}", *self.log(name)[-30:]])
            time.sleep(0.05)

    def metrics(self, name: str) -> dict[str, float]:
        """What a worker's /metrics says now, by name with labels as written; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics[name]}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {metric: float(value) for metric, value in pairs}

    def metric(self, name: str, metric: str) -> float:
        """One of a worker's metrics, summed over its labels; 0 if there is none."""
        return sum(value for shown, value in self.metrics(name).items() if shown.partition("{")[0] == metric)

    def wait_until_metric(self, name: str, metric: str, least: float, timeout_s: float = WAIT_S) -> None:
        """Until one of a worker's metrics, summed over its labels, is at least so much."""
        deadline_s = time.monotonic() + timeout_s
        while (found := self.metric(name, metric)) < least:
            assert time.monotonic() < deadline_s, f"{metric} of {name} is {found} after {timeout_s:.0f} s"
            time.sleep(0.1)

    def stored(self, table: str = "events") -> int:
        """Rows of a table, each identity once."""
        ((count,),) = self.rows(f"SELECT count() FROM {table} FINAL")
        return int(str(count))

    def wait_until_stored(self, count: int, table: str = "events", timeout_s: float = WAIT_S) -> None:
        """Until a table has at least so many rows."""
        deadline_s = time.monotonic() + timeout_s
        while (found := self.stored(table)) < count:
            assert time.monotonic() < deadline_s, f"{found} of {count} rows of {table} after {timeout_s:.0f} s"
            time.sleep(0.2)

    def assert_undisturbed(self, undisturbed: Hash, events: Iterable[Event]) -> None:
        """Nothing lost, nothing double: every event sent is archived once, derived tables hold what a run without
        faults leads to, and nothing was refused. Call it after `drain`."""
        archived = self.rows("SELECT source, id, count() FROM events FINAL GROUP BY source, id")
        assert {(source, id_) for source, id_, _ in archived} == {(event.source, event.id) for event in events}
        assert {count for _, _, count in archived} == {1}
        assert self.hash() == undisturbed
        assert self.rows("SELECT code, count() FROM dead_letters FINAL GROUP BY code") == []


@contextmanager
def rig(
    broker: Broker,
    folder: Path,
    policy: Path = DEMO_POLICY,
    as_of: str = AS_OF,
    app_env: Mapping[str, str] | None = None,
) -> Iterator[Rig]:
    """A started Tieline to be disturbed; killed at the end."""
    tieline = Rig(broker, folder, policy, as_of, app_env)
    try:
        tieline.start()
        yield tieline
    finally:
        tieline.close()
