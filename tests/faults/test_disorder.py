"""Fault 7: events that come late, twice and in any order, while workers are killed and items have left memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from schemas.events import Event
from tests.brokers import Broker
from tests.faults.rig import Rig, rig, rounds
from tests.integration.pipeline.running import Hash, until
from tests.integration.pipeline.test_awkward_histories import evicted, short_linger
from tests.integration.pipeline.test_identical_rows import by_work_item

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.long]
ROUNDS = rounds(1, most=10)
APPS = ("infer", "sink")


@pytest.mark.timeout(1800)
def test_late_repeated_and_reordered_events_across_restarts_change_no_row(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    dice = random.Random(7)
    late, rest = held_back(week, dice)
    parts = in_parts(rest + dice.sample(rest, len(rest) // 5), 2 * ROUNDS, dice)
    late_parts = in_parts(late + dice.sample(late, len(late) // 5), ROUNDS, dice)
    with rig(fresh_kafka, tmp_path / "data", short_linger(tmp_path), as_of="") as tieline:
        seen_late = 0.0
        for number in range(ROUNDS):
            tieline.send(parts[2 * number])
            until(lambda: evicted(tieline) > 10 / ROUNDS)
            tieline.send(late_parts[number])
            seen_late += restarted(tieline)
            tieline.send(parts[2 * number + 1])
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
        seen_late += tieline.metric("infer", "tieline_infer_late_total")
        assert seen_late > 0, "some came when their item had left memory"
        assert tieline.metric("sink", "tieline_sink_repaired_items_total") > 0
    print(f"{len(late)} events late, {seen_late:.0f} of items that had left memory, {ROUNDS} restarts of both apps")


def held_back(events: list[Event], dice: random.Random) -> tuple[list[Event], list[Event]]:
    """(two events of each work item that come late, all others): any but the last may be late."""
    late = [event for item in by_work_item(events).values() if len(item) > 3 for event in dice.sample(item[:-1], 2)]
    refs = {event.ref for event in late}
    return late, [event for event in events if event.ref not in refs]


def in_parts(events: list[Event], parts: int, dice: random.Random) -> list[list[Event]]:
    """All events in any order, whole work items not kept together, in so many parts."""
    mixed = dice.sample(events, len(events))
    return [mixed[part::parts] for part in range(parts)]


def restarted(tieline: Rig) -> float:
    """kill -9 of both apps; how many late events the infer that died had counted."""
    counted = tieline.metric("infer", "tieline_infer_late_total")
    tieline.kill_and_restart(APPS)
    return counted
