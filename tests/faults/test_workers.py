"""Fault 4: two and three infer workers that join, leave, are killed, and do so every few seconds."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from schemas.events import Event
from streams.transport.settings import TransportSettings
from tests.brokers import Broker
from tests.faults.load import Load
from tests.faults.owners import Owners
from tests.faults.rig import Rig, rig, rounds
from tests.integration.pipeline.running import Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.long]
STORMS = rounds(3, most=50)
PER_S = 100.0
UNOWNED_S = 10.0
"""After the session timeout, which is how long a broker waits for a worker that says nothing."""
ASSIGNED = "work items restored"
START_S = 180.0
"""A worker needs two seconds until it has partitions; where many tests share two cores it may need a minute."""


@pytest.mark.timeout(1200)
def test_workers_that_join_leave_and_are_killed_change_no_row(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        with Load(fresh_kafka.address, week, PER_S) as load, Owners(fresh_kafka.address) as owners:
            load.wait_until_sent(1)
            tieline.wait_until_said("infer", ASSIGNED, timeout_s=START_S)
            join(tieline, "infer-two")
            join(tieline, "infer-three")
            assert tieline.stop("infer-two") == 0
            tieline.kill("infer-three")
            storm(tieline, random.Random(4))
            restarted = tieline.said("infer", ASSIGNED)
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
        assert_owned(owners)
        # One assignment at the start, one for each worker that came, one for each that went.
        assert restarted >= 3
        assert tieline.metric("infer", "tieline_rebalances_total") >= 3
        assert tieline.metric("infer", "tieline_partitions") > 0


def assert_owned(owners: Owners) -> None:
    """No partition stood still for longer than it may; what a look came late is no standing still."""
    found = f"partition {owners.where} stood still for {owners.longest_s:.1f} s; looks {owners.pause_s:.1f} s apart"
    print(found)
    assert owners.pause_s > 0.0, "nobody looked"
    assert owners.longest_s - owners.pause_s <= TransportSettings().session_timeout_s + UNOWNED_S, found


def join(tieline: Rig, name: str) -> None:
    """Another worker of infer, from when it has partitions."""
    tieline.start_app("infer", name)
    tieline.wait_until_said(name, ASSIGNED, timeout_s=START_S)


def storm(tieline: Rig, dice: random.Random) -> None:
    """A worker joins and leaves every few seconds, by a clean stop or not; it may not even have got partitions."""
    for number in range(STORMS):
        name = f"infer-storm-{number}"
        tieline.start_app("infer", name)
        time.sleep(dice.uniform(2.0, 5.0))
        if number % 2:
            tieline.kill(name)
        else:
            tieline.stop(name)
