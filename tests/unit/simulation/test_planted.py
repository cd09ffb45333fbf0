"""A planted world: the log holds exactly what was planted, and is a function of world and seed alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise
from statistics import fmean

import pytest

from schemas.decoding import decode
from schemas.events import EVENT_TYPES, InterventionStarted
from streams.simulation.planted.quality import PlantedQuality
from streams.simulation.planted.world import Directed
from tests.unit.simulation.planted_worlds import found_in, simulation, world


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item": {"handoffs": 3, "questions": 2, "problems": 2}, "clustering": {"item": 0.3, "actor": 0.2}},
        {"quality": {"sd": 0.2}, "delays": {"median": 0.9, "sigma": 0.2, "unanswered": 0.9}},
        {"rules": ["reply", "handoff_accuracy", "problem_response", "contact"]},
        {"disturbances": {"bots": {"share": 0.5, "marked": True}, "duplicates": 0.2, "disorder": {"share": 0.3}}},
    ],
    ids=["plain", "clustered", "extremes", "few rules", "harmless disturbances"],
)
def test_inference_finds_exactly_what_was_drawn(fields: dict[str, object]) -> None:
    simulated = simulation(**fields)
    found = found_in(simulated.events(), simulated.world)
    truth = simulated.truth.means()
    assert found.keys() == truth.keys()
    for tie, (n, _, _, drawn) in truth.items():
        assert len(found[tie]) == n, tie
        assert fmean(found[tie]) == pytest.approx(drawn), tie


def test_the_dice_are_fair_whatever_clusters() -> None:
    simulated = simulation(
        items_per_week=150, roles={"a": {"people": 400}, "b": {"people": 400}}, clustering={"item": 0.2, "actor": 0.1}
    )
    for _ in simulated.undisturbed():
        pass
    for tie, (n, planted, these, drawn) in simulated.truth.means().items():
        assert these == pytest.approx(planted, abs=0.03), tie
        assert drawn == pytest.approx(planted, abs=4 * (planted * (1 - planted) / n * 1.6) ** 0.5 + 0.02), tie


def test_the_log_is_a_function_of_world_and_seed() -> None:
    first, again, other = (b"".join(e.canonical() for e in simulation(seed).events()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_hash_seed_of_the_process_changes_nothing() -> None:
    command = [sys.executable, "-m", "deploy.cli", "simulate", "--events", "300", "--seed", "3"]
    logs = {
        subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }
    assert len(logs) == 1
    assert len(logs.pop().splitlines()) == 300


def test_a_world_without_end_is_made_as_it_is_taken() -> None:
    events = simulation(items_per_week=3).events(weeks=0)
    assert len(list(islice(events, 500))) == 500


def test_what_happened_is_in_order_and_survives_the_wire() -> None:
    events = list(simulation().undisturbed())
    assert all(earlier.time <= later.time for earlier, later in pairwise(events))
    assert len({event.ref for event in events}) == len(events)
    assert all(decode(event.canonical()) == event for event in events)


def test_every_kind_of_event_of_a_conversation_occurs() -> None:
    names = {event.type.split(".")[1] for event in simulation().events()}
    assert names == {"handoff", "communication", "problem", "work_item"}
    assert {event.type for event in simulation().events()} <= set(EVENT_TYPES)


def test_a_planted_change_begins_with_its_week_and_is_announced() -> None:
    change = {"id": "rounds", "week": 2, "name": "rounds", "owner_role": "desk", "level": 0.1, "slope": 0.01}
    of = world(weeks=6, interventions=[{**change, "ties": [["nurse", "desk"]], "dimensions": ["accuracy"]}])
    quality = PlantedQuality(of, 1)
    values = [quality.chance(Directed("nurse", "desk"), "accuracy", week) for week in range(4)]
    assert values == pytest.approx([0.85, 0.85, 0.95, 0.96])
    assert quality.chance(Directed("desk", "nurse"), "accuracy", 3) == 0.85
    simulated = simulation(weeks=3, interventions=of.interventions)
    assert [e.subject for e in simulated.events() if isinstance(e, InterventionStarted)] == ["rounds"]


def test_weeks_resemble_the_one_before_as_much_as_planted() -> None:
    quality = PlantedQuality(world(variation={"sd": 0.02, "autocorrelation": 0.6}), 1)
    path = [quality.chance(Directed("nurse", "desk"), "accuracy", week) - 0.85 for week in range(3000)]
    variance = fmean(x * x for x in path)
    assert variance**0.5 == pytest.approx(0.02, rel=0.1)
    assert fmean(x * y for x, y in pairwise(path)) / variance == pytest.approx(0.6, abs=0.06)


def test_busy_people_have_more_of_the_work() -> None:
    simulated = simulation(items_per_week=40, roles={"a": {"people": 6, "uneven": 2.0}, "b": {}})
    offers = Counter(e.data.actor.id for e in simulated.events() if e.type.endswith("raised.v1") and e.data.actor)
    assert offers.most_common(1)[0][1] > 3 * fmean(offers.values())
