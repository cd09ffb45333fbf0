"""Items that never close, leave memory and come back; workers that come and go; a store that is away."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from deploy.composition.drain import end_offsets
from schemas import topics
from schemas.events import Event
from schemas.topics import PARTITIONS
from tests.brokers import Broker
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Hash, Running, running, until
from tests.integration.pipeline.test_identical_rows import by_work_item


def short_linger(folder: Path) -> Path:
    """The demo policy, but closed items leave memory at once."""
    policy = folder / "short-linger.yaml"
    text = DEMO_POLICY.read_text()
    lines = [line for line in text.splitlines() if not line.strip().startswith("linger_s")]
    at = [number for number, line in enumerate(lines) if line.startswith("    period:")]
    for number in reversed(at):
        lines.insert(number + 1, "    linger_s: 0")
    policy.write_text("\n".join(lines))
    assert policy.read_text().count("linger_s: 0") == 2
    return policy


@pytest.mark.slow
def test_late_events_of_evicted_items_change_the_rows_they_should(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    """Any event may be the late one: also one that starts an episode, or changes who handed to whom."""
    dice = random.Random(11)
    late = [
        event
        for events in by_work_item(scenario_events).values()
        if len(events) > 3
        for event in dice.sample(events[:-1], 2)
    ]
    held_back = {event.ref for event in late}
    with running(fresh_tansu, tmp_path / "data", short_linger(tmp_path), as_of="") as tieline:
        tieline.send(event for event in scenario_events if event.ref not in held_back)
        tieline.drain()
        until(lambda: evicted(tieline) > 50)
        dice.shuffle(late)
        tieline.send(late)
        tieline.drain()
        assert tieline.hash() == undisturbed
        assert tieline.rows("SELECT count() FROM dead_letters")[0][0] == 0
        assert open_items(tieline) > 0  # the items that never closed are still folded in memory


@pytest.mark.slow
def test_late_events_that_overtake_the_archive_repair_no_half_of_an_item(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    """A sink that was away reads what is late beside all that it has missed."""
    again = [events[0] for events in by_work_item(scenario_events).values() if len(events) > 3]
    with running(fresh_tansu, tmp_path / "data", short_linger(tmp_path), as_of="") as tieline:
        tieline.stop("sink")
        tieline.send(scenario_events)

        def many_are_late() -> bool:
            tieline.send(again)
            return sum(end_offsets(fresh_tansu.address, [topics.LATE]).values()) > 2 * PARTITIONS

        until(many_are_late)
        tieline.start_app("sink")
        tieline.drain()
        assert tieline.hash() == undisturbed


def evicted(tieline: Running) -> int:
    return int(str(tieline.rows("SELECT count() FROM work_items FINAL WHERE evicted")[0][0]))


def open_items(tieline: Running) -> int:
    return int(str(tieline.rows("SELECT count() FROM work_items FINAL WHERE NOT evicted")[0][0]))


@pytest.mark.long
@pytest.mark.slow
def test_items_begun_before_a_restart_go_on_after_it(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    """Their first events lie before the committed offset: only the state topic still has them."""
    half = len(scenario_events) // 2
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send(scenario_events[:half])
        tieline.drain()
        assert tieline.stop("infer") == 0
        assert tieline.stop("sink") == 0
        tieline.start_app("infer")
        tieline.start_app("sink")
        tieline.send(scenario_events[half:])
        tieline.drain()
        assert tieline.hash() == undisturbed


@pytest.mark.long
@pytest.mark.slow
def test_workers_that_join_and_leave_change_no_row(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    third = len(scenario_events) // 3
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send(scenario_events[:third])
        tieline.start_app("infer", name="second")
        tieline.send(scenario_events[third : 2 * third])
        time.sleep(8)  # long enough for the group to share the partitions
        tieline.send(scenario_events[2 * third :])
        tieline.kill("second")
        tieline.drain()
        assert tieline.hash() == undisturbed


@pytest.mark.long
@pytest.mark.slow
def test_a_store_that_is_killed_delays_and_loses_nothing(
    fresh_tansu: Broker, tmp_path: Path, scenario_events: list[Event], undisturbed: Hash
) -> None:
    half = len(scenario_events) // 2
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send(scenario_events[:half])
        time.sleep(1.0)
        tieline.kill("store")
        tieline.send(scenario_events[half:])
        time.sleep(2.0)
        tieline.start_store()
        tieline.drain()
        assert tieline.hash() == undisturbed
