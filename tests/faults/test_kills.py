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
from tests.faults.rig import Rig, rig, rounds, weeks_of_events
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Hash, undisturbed_hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROUNDS = rounds(2, most=50)
MANY = 5
VICTIMS = (("infer", "sink"), ("infer",), ("sink",))
WORKS = {"infer": "work items restored", "sink": "rebalance: "}
"""What a worker says once it has its partitions, which is after the group has noticed its predecessor's death."""
LONGEST_LIFE_S = 3.0
"""Longer than the interval between checkpoints, so that kills hit every step."""
MET_AT_WORK = 0.7
"""How often a worker is left alone until it works; else it may die while it starts, joins or restores."""


@pytest.fixture(scope="module")
def events(week: list[Event]) -> list[Event]:
    """A week of the scenario; enough for a steady stream where there are many rounds."""
    return week if ROUNDS <= MANY else weeks_of_events(3)


@pytest.fixture(scope="module")
def expected(request: pytest.FixtureRequest, events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Hash:
    """What `events` lead to where nothing is disturbed."""
    if ROUNDS <= MANY:
        found: Hash = request.getfixturevalue("undisturbed")
        return found
    return undisturbed_hash(events, tmp_path_factory.mktemp("expected"), DEMO_POLICY)


@pytest.mark.timeout(3600)
def test_kills_at_random_change_no_row(
    fresh_kafka: Broker, tmp_path: Path, events: list[Event], expected: Hash
) -> None:
    dice, killed = random.Random(50), Counter[str]()
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        with Load(fresh_kafka.address, events, per_s=max(60.0, len(events) / (ROUNDS * 6))) as load:
            load.released = len(events) // ROUNDS
            tieline.wait_until_stored(1, "work_items")
            for number in range(ROUNDS):
                load.released = len(events) * (number + 1) // ROUNDS
                time.sleep(dice.uniform(0.0, LONGEST_LIFE_S))
                victims = VICTIMS[number] if number < len(VICTIMS) else dice.choice(VICTIMS)
                kill_and_restart(tieline, victims, dice)
                killed.update(victims)
            print(f"{load.sent} events sent, {load.repeated} again, {tieline.stored()} stored meanwhile")
        tieline.drain()
        tieline.assert_undisturbed(expected, events)
        assert_restarts_are_named(tieline, killed)


def kill_and_restart(tieline: Rig, victims: tuple[str, ...], dice: random.Random) -> None:
    told = {name: tieline.said(name, WORKS[name]) for name in victims}
    tieline.kill_and_restart(victims)
    if dice.random() < MET_AT_WORK:
        for name in victims:
            tieline.wait_until_said(name, WORKS[name], told[name] + 1)


def assert_restarts_are_named(tieline: Rig, killed: Counter[str]) -> None:
    """Who comes after a killed worker says what it was given and what it restored, and counts it."""
    print({name: f"{count} kills" for name, count in killed.items()})
    assert all(tieline.said(name, WORKS[name]) > 1 for name in killed)
    assert tieline.metric("infer", "tieline_infer_restored_items_total") > 0
    assert all(tieline.metric(name, "tieline_rebalances_total") > 0 for name in killed)
