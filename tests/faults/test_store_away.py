"""Fault 3: a store that is away, slow, full, read-only, or cuts the connection once it has done what was asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.composition.drain import INFER_GROUP, SINK_GROUP, committed, end_offsets
from schemas import topics
from schemas.events import Event
from tests.brokers import Broker
from tests.faults.front import (
    BAD_GATEWAY,
    CUT_READS,
    CUT_WRITES,
    DISK_FULL,
    NO_SPACE_LEFT,
    OUT_OF_MEMORY,
    READ_ONLY,
    READ_ONLY_ACCOUNT,
    SLOW,
    STUCK,
    TOO_MANY_PARTS,
    TOO_MANY_QUERIES,
    UNAVAILABLE,
    Fault,
    FaultyFront,
    fault_seconds,
    rig_behind_front,
)
from tests.faults.load import Load
from tests.faults.rig import Rig
from tests.integration.pipeline.running import Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SECONDS = fault_seconds(0.5)
AWAY_S = 8 * SECONDS
ERRORS = (
    OUT_OF_MEMORY,
    TOO_MANY_PARTS,
    DISK_FULL,
    NO_SPACE_LEFT,
    READ_ONLY,
    READ_ONLY_ACCOUNT,
    TOO_MANY_QUERIES,
    BAD_GATEWAY,
    UNAVAILABLE,
    CUT_WRITES,
    CUT_READS,
)
SILENT = (SLOW, STUCK) if STUCK.delay_s < AWAY_S else (SLOW,)
PER_S = 150.0
MOST_BEHIND_S = 6.0
"""Three checkpoints' worth of events: what infer may have folded and said, and not committed yet."""


class Behind:
    """How many records of `tieline.events` a group has not committed; the most there ever were."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self.most = {INFER_GROUP: 0, SINK_GROUP: 0}

    def look(self) -> None:
        """Groups first: what comes in between counts against them."""
        reached = {group: committed(self._broker, group) for group in self.most}
        ends = end_offsets(self._broker, [topics.EVENTS])
        for group, offsets in reached.items():
            behind = sum(end - offsets.get(place, 0) for place, end in ends.items())
            self.most[group] = max(self.most[group], behind)

    def look_for(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        self.look()
        while time.monotonic() < until_s:
            time.sleep(0.3)
            self.look()


@contextmanager
def making(front: FaultyFront, fault: Fault) -> Iterator[None]:
    """The fault, as soon as it has befallen somebody."""
    front.fault = fault
    front.wait_until_done(fault)
    yield
    front.fault = None


@pytest.mark.timeout(1800)
def test_a_store_that_fails_in_every_way_delays_the_sink_and_nothing_else(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    behind = Behind(fresh_kafka.address)
    with rig_behind_front(fresh_kafka, tmp_path / "data") as (tieline, front):
        with Load(fresh_kafka.address, week, per_s=PER_S):
            tieline.wait_until_stored(1)
            for fault in (*ERRORS, *SILENT):
                with making(front, fault):
                    behind.look_for(SECONDS if fault is not STUCK else fault.delay_s)
            front.shut()
            tieline.kill_and_restart(["sink"])  # one that starts while there is no store
            behind.look_for(AWAY_S)
            front.open()
        print(f"behind at most: {behind.most}; requests hit: {dict(front.done)}")
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
        assert_named(tieline)
        assert behind.most[INFER_GROUP] < MOST_BEHIND_S * PER_S < behind.most[SINK_GROUP]
        assert tieline.ended("sink") is None
        assert tieline.said("sink", "crashed") == 0
        assert tieline.said("sink", "Unclosed") == 0, "what waits for its store leaks nothing"


def assert_named(tieline: Rig) -> None:
    """Each fault is named while it lasts, by ClickHouse's number where it has one, and its end is told."""
    for code in sorted({fault.code for fault in ERRORS if fault.code}):
        assert tieline.said("sink", f"the store is away, trying again: clickhouse: error {code}"), code
    assert tieline.said("sink", "the store is away, trying again: clickhouse: no answer")
    assert tieline.said("sink", "the store answers again")
