"""Fault 8: the clock of the workers is set forward and back, by hours and by days."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from schemas.events import Event
from tests.brokers import Broker
from tests.builders import T0, act, offered
from tests.faults.clocked import FILE_ENV, set_ahead
from tests.faults.rig import Rig, rounds
from tests.integration.pipeline.running import AS_OF, Hash
from tests.integration.pipeline.test_awkward_histories import short_linger, until

pytestmark = [pytest.mark.slow, pytest.mark.long]
JUMPS = (
    timedelta(days=5),
    timedelta(days=-3),
    timedelta(hours=7),
    timedelta(days=-40),
    timedelta(days=400),
    timedelta(hours=-2),
)
POLICY = """\
version: clocked
effective_from: 2020-01-01T00:00:00Z
processes:
  p:
    observes:
      - source: "*"
        rules: [handoff_acceptance]
    targets:
      accept_s: {default: 3600}
"""
ROUNDS = rounds(1, most=5)


class Clocked(Rig):
    """A rig whose apps take the time from a file; `as_of` pins it once `pin` has been called."""

    def __init__(self, broker: Broker, folder: Path, policy: Path) -> None:
        super().__init__(broker, folder, policy, as_of="")
        self.clock = folder / "clock"
        self.app_env[FILE_ENV] = str(self.clock)

    def _start(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        clocked = ["tests.faults.clocked", *command[1:]] if "worker" in command else command
        super()._start(name, clocked, dict(env))

    def set_clock(self, instant: datetime) -> None:
        """The apps' clock shows this instant and goes on from there."""
        set_ahead(self.clock, instant.timestamp() - time.time())

    def judges_after(self, instant: datetime) -> bool:
        """Whether evidence is ripe that cannot be at this instant."""
        sql = "SELECT count() FROM evidence FINAL WHERE ripe AND known_at > parseDateTime64BestEffort('{}', 6)"
        ((count,),) = self.rows(sql.format(instant.isoformat()))
        return int(str(count)) > 0

    def pin(self, as_of: str) -> None:
        """Start the apps again, judging at this instant."""
        for app in ("infer", "sink"):
            assert self.stop(app) == 0
        self.as_of = as_of
        for app in ("infer", "sink"):
            self.start_app(app)


@pytest.mark.timeout(1800)
def test_clocks_that_jump_leave_the_rows_of_one_that_does_not(
    fresh_tansu: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    """Time goes by with the events, but for the jumps: deadlines pass too early and come back, items leave memory too
    early, and events come whose time is ahead of the clock."""
    jumps = JUMPS * ROUNDS
    size = len(week) // len(jumps) + 1
    tieline = Clocked(fresh_tansu, tmp_path / "data", short_linger(tmp_path))
    try:
        tieline.set_clock(week[0].time)
        tieline.start()
        for number, jump in enumerate(jumps):
            part = week[number * size : (number + 1) * size]
            tieline.set_clock(part[0].time)
            tieline.send(part[: size // 2])
            tieline.wait_until_stored(number * size + size // 2)
            tieline.set_clock(part[size // 2].time + jump)
            tieline.send(part[size // 2 :])
            if number % 2:
                tieline.kill_and_restart(["infer"])
            tieline.wait_until_stored(min((number + 1) * size, len(week)))
            if jump == JUMPS[0]:  # days ahead: it judges too early
                until(partial(tieline.judges_after, part[-1].time), timeout_s=120.0)
        tieline.set_clock(datetime.now(UTC))
        tieline.drain()
        tieline.pin(AS_OF)
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
    finally:
        tieline.close()


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_with_a_clock_that_is_hours_ahead_kafka_takes_nothing_and_nothing_is_judged(
    fresh_kafka: Broker, tmp_path: Path
) -> None:
    """Kafka refuses records from more than an hour ahead of its own clock. Infer says so, waits, and goes on once its
    clock is right: then with what is true."""
    now = datetime.now(UTC)
    minutes = (now - T0).total_seconds() / 60
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    tieline = Clocked(fresh_kafka, tmp_path / "data", policy)
    try:
        tieline.set_clock(now)
        tieline.start()
        tieline.wait_until_said("infer", "work items restored")
        tieline.set_clock(now + timedelta(hours=5))
        tieline.send([offered(minutes)])
        tieline.wait_until_stored(1)
        tieline.wait_until_said("infer", "InvalidTimestamp")
        assert tieline.stored("handoffs") == 0
        tieline.set_clock(now + timedelta(minutes=2))  # within the hour that Kafka allows
        tieline.send([act("accepted", minutes + 1, "ward")])
        tieline.drain()
        assert tieline.rows("SELECT state FROM handoffs FINAL") == [("accepted",)]
        assert tieline.rows("SELECT ripe FROM evidence FINAL WHERE rule = 'handoff_acceptance'") == [(False,)]
        assert tieline.metric("infer", "tieline_write_failures_total") > 0
    finally:
        tieline.close()
