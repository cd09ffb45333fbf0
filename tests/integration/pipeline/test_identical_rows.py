"""Whatever happens on the way, the same events lead to the same rows."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from schemas.events import Event
from tests.brokers import Broker
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import APPS, Hash, Running, running


def by_work_item(events: list[Event]) -> dict[tuple[str, str], list[Event]]:
    items: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        items.setdefault((event.process, event.subject), []).append(event)
    return items


def test_another_order_of_work_items_and_duplicates_change_no_row(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    dice = random.Random(5)
    items = list(by_work_item(scenario_events).values())
    dice.shuffle(items)
    shuffled = [event for item in items for event in item]
    again = dice.sample(scenario_events, len(scenario_events) // 10)
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send(shuffled)
        tieline.send(again)
        tieline.drain()
        assert tieline.hash() == undisturbed


@pytest.mark.slow
def test_kill_9_at_random_points_changes_no_row(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    """On the embedded default's broker; tests/faults kills more, and on Kafka."""
    dice = random.Random(7)
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        kills = sorted(dice.sample(range(len(scenario_events) - 500), 2))
        for start in range(0, len(scenario_events), 250):
            tieline.send(scenario_events[start : start + 250])
            while kills and start >= kills[0]:
                kills.pop(0)
                _kill_and_restart(tieline, dice)
        tieline.drain()
        assert tieline.hash() == undisturbed


def _kill_and_restart(tieline: Running, dice: random.Random) -> None:
    time.sleep(dice.uniform(0.0, 3.0))  # somewhere between fold, write, checkpoint and commit
    for victim in APPS:
        tieline.kill(victim)
    for victim in APPS:
        tieline.start_app(victim)
