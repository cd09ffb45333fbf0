"""Fault 1: kill -9 of infer, of the sink, of both, at random and under load."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from schemas.events import Event
from tests.brokers import Broker
from tests.faults.load import Load
from tests.faults.rig import Rig, rig, rounds
from tests.integration.pipeline.running import Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROUNDS = rounds(2, most=50)
VICTIMS = (("infer", "sink"), ("infer",), ("sink",))
LONGEST_LIFE_S = 4.0
"""Longer than the interval between checkpoints and the start of an app, so that kills hit every step."""


@pytest.mark.timeout(1200)
def test_kills_at_random_change_no_row(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    dice, killed = random.Random(50), Counter[str]()
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        with Load(fresh_kafka.address, week, per_s=len(week) / (ROUNDS * LONGEST_LIFE_S)) as load:
            load.wait_until_sent(1)
            tieline.wait_until_stored(1, "work_items")
            for number in range(ROUNDS):
                time.sleep(dice.uniform(0.0, LONGEST_LIFE_S))
                victims = VICTIMS[number] if number < len(VICTIMS) else dice.choice(VICTIMS)
                tieline.kill_and_restart(victims)
                killed.update(victims)
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
        assert_restarts_are_named(tieline, killed)


def assert_restarts_are_named(tieline: Rig, killed: Counter[str]) -> None:
    """Who comes after a killed worker says what it was given and what it restored, and counts it."""
    print({name: f"{count} kills" for name, count in killed.items()})
    assert tieline.said("infer", "work items restored") > 1
    assert tieline.said("sink", "rebalance: ") > 1
    assert tieline.metric("infer", "tieline_infer_restored_items_total") > 0
    assert all(tieline.metric(name, "tieline_rebalances_total") > 0 for name in killed)
