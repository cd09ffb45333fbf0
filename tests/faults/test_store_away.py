"""Fault 3: a store that is away, slow, full, read-only, or cuts the connection once it has done what was asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.composition.drain import SINK_GROUP, committed, end_offsets
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

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.long]
SECONDS = fault_seconds(0.5)
AWAY_S = max(8 * SECONDS, 12.0)
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
PER_S = 60.0
"""Slow enough that events are still new when the store is shut."""
MOST_BEHIND_S = 6.0
"""Three checkpoints' worth of events: what infer may have folded and said, and not committed yet."""


class Seen:
    """What the apps say of themselves while there is a fault; the most of each."""

    def __init__(self, tieline: Rig) -> None:
        self._tieline = tieline
        self.infer_behind = self.infer_lag_s = self.store_away = self.store_away_s = 0.0

    def look_for(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while True:
            infer, sink = self._tieline.metrics("infer"), self._tieline.metrics("sink")
            self.infer_behind = max(self.infer_behind, infer.get('tieline_lag_records{topic="tieline.events"}', 0.0))
            self.infer_lag_s = max(self.infer_lag_s, infer.get("tieline_lag_seconds", 0.0))
            self.store_away = max(self.store_away, sink.get("tieline_sink_store_away", 0.0))
            self.store_away_s = max(self.store_away_s, sink.get("tieline_sink_store_away_seconds", 0.0))
            if time.monotonic() >= until_s:
                return
            time.sleep(0.2)


def behind(broker: str, group: str) -> int:
    """Records of `tieline.events` that a group has not committed."""
    reached = committed(broker, group)
    return sum(end - reached.get(place, 0) for place, end in end_offsets(broker, [topics.EVENTS]).items())


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
    with rig_behind_front(fresh_kafka, tmp_path / "data") as (tieline, front):
        seen = Seen(tieline)
        with Load(fresh_kafka.address, week, per_s=PER_S):
            tieline.wait_until_stored(1)
            for fault in (*ERRORS, *SILENT):
                with making(front, fault):
                    seen.look_for(SECONDS if fault is not STUCK else fault.delay_s)
            tieline.wait_until_said("sink", "the store answers again")
            named = tieline.metrics("sink")
            front.shut()
            seen.look_for(SECONDS)
            tieline.kill_and_restart(["sink"])  # one that starts while there is no store
            seen.look_for(AWAY_S)
            sink_behind = behind(fresh_kafka.address, SINK_GROUP)
            front.open()
            began_s = time.monotonic()
        tieline.drain()
        caught_up_s = time.monotonic() - began_s
        print(
            f"infer at most {seen.infer_behind:.0f} records and {seen.infer_lag_s:.1f} s behind, the sink {sink_behind}"
        )
        print(f"caught up {caught_up_s:.1f} s after the store was back; requests hit: {dict(front.done)}")
        tieline.assert_undisturbed(undisturbed, week)
        assert_named(tieline, named)
        assert seen.infer_behind < MOST_BEHIND_S * PER_S
        assert seen.infer_behind < sink_behind
        assert seen.store_away == 1
        assert tieline.ended("sink") is None
        assert tieline.said("sink", "crashed") == 0
        assert tieline.said("sink", "Unclosed") == 0, "what waits for its store leaks nothing"


def assert_named(tieline: Rig, metrics: Mapping[str, float]) -> None:
    """Each fault is named while it lasts, by ClickHouse's number where it has one, and its end is told."""
    for code in sorted({fault.code for fault in ERRORS if fault.code}):
        assert tieline.said("sink", f"the store is away, trying again: clickhouse: error {code}"), code
    assert tieline.said("sink", "the store is away, trying again: clickhouse: no answer")
    assert tieline.said("sink", "the store answers again")
    kinds = {name.split('"')[1] for name in metrics if name.startswith("tieline_sink_retries_total{")}
    assert kinds >= {"out_of_memory", "busy", "disk_full", "read_only", "no_answer"}
