"""The history is what a source would have sent: valid, in order, repeatable, and big enough to say something."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import islice, pairwise

from schemas.decoding import decode
from schemas.events import EVENT_TYPES, Event, HandoffAccepted
from streams.simulation.scenario import Scenario


def test_every_simulated_event_survives_the_wire_unchanged(simulated: tuple[Event, ...]) -> None:
    assert all(decode(event.canonical()) == event for event in simulated)


def test_history_is_in_order_and_ends_before_its_end(simulated: tuple[Event, ...], scenario: Scenario) -> None:
    assert all(earlier.time <= later.time for earlier, later in pairwise(simulated))
    assert simulated[-1].time < scenario.end
    assert scenario.end - simulated[0].time < timedelta(weeks=6)


def test_the_same_seed_makes_the_same_history(simulated: tuple[Event, ...], scenario: Scenario) -> None:
    assert tuple(islice(scenario.history(), 3000)) == simulated[:3000]


def test_another_seed_makes_another_history(simulated: tuple[Event, ...], scenario: Scenario) -> None:
    other = islice(replace(scenario, seed=8).history(), 500)
    assert tuple(other) != simulated[:500]


def test_histories_with_different_ends_agree_where_they_overlap(
    simulated: tuple[Event, ...], scenario: Scenario
) -> None:
    earlier = replace(scenario, end=scenario.end - timedelta(days=5), weeks=5)
    held = {event.ref: event for event in simulated}
    common = [event for event in earlier.history() if "rush" not in event.subject]
    assert len(common) > 5000
    assert all(held[event.ref] == event for event in common)


def test_no_two_events_share_an_identity(simulated: tuple[Event, ...]) -> None:
    assert len({event.ref for event in simulated}) == len(simulated)


def test_sequence_orders_the_events_of_a_work_item(simulated: tuple[Event, ...]) -> None:
    items: dict[str, list[int]] = defaultdict(list)
    for event in simulated:
        items[event.subject].append(event.sequence)
    assert all(sequences == list(range(len(sequences))) for sequences in items.values())


def test_size_is_what_a_demonstration_can_stream(simulated: tuple[Event, ...]) -> None:
    assert 15_000 <= len(simulated) <= 25_000


def test_everything_but_surveys_and_interventions_occurs(simulated: tuple[Event, ...]) -> None:
    elsewhere = {kind for kind in EVENT_TYPES if kind.startswith(("tieline.survey", "tieline.intervention"))}
    assert {event.type for event in simulated} == set(EVENT_TYPES) - elsewhere


def test_machines_and_unknown_actors_act_too(simulated: tuple[Event, ...]) -> None:
    kinds = {event.data.actor.kind for event in simulated if event.data.actor}
    assert kinds == {"human", "bot", "system", "unknown"}
    assert any(
        isinstance(event, HandoffAccepted) and event.data.actor and event.data.actor.kind == "bot"
        for event in simulated
    )


def test_no_name_leaves_the_simulation(simulated: tuple[Event, ...]) -> None:
    assert not any(b"#" in event.canonical() or b"auto-accept" in event.canonical() for event in simulated)
