"""What goes wrong with a planted log, and that it is all that goes wrong."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from schemas.events import Event, HandoffAccepted
from tests.unit.simulation.planted_worlds import simulation

CLEAN = simulation()
HAPPENED = list(CLEAN.undisturbed())


def arrived(**disturbances: Any) -> list[Event]:
    return list(simulation(disturbances=disturbances).events())


def contents(events: list[Event]) -> Counter[bytes]:
    return Counter(event.canonical() for event in events)


def test_nothing_goes_wrong_unless_asked_for() -> None:
    assert arrived() == HAPPENED


def test_duplicates_repeat_content() -> None:
    found = contents(arrived(duplicates=0.2))
    assert found.keys() == contents(HAPPENED).keys()
    assert sum(found.values()) == pytest.approx(1.2 * len(HAPPENED), rel=0.05)


@pytest.mark.parametrize("disturbance", [{"disorder": {"share": 0.3}}, {"late": {"share": 0.1, "days": 12}}])
def test_another_order_is_no_other_content(disturbance: dict[str, Any]) -> None:
    found = arrived(**disturbance)
    assert found != HAPPENED
    assert contents(found) == contents(HAPPENED)


def test_a_larger_share_loses_the_same_events_and_more() -> None:
    few, many = (contents(arrived(missing=share)) for share in (0.05, 0.2))
    assert many < few < contents(HAPPENED)
    assert sum(many.values()) == pytest.approx(0.8 * len(HAPPENED), rel=0.05)


def test_a_wrong_clock_moves_all_events_of_its_role_and_no_other() -> None:
    found = {event.ref: event for event in arrived(skew_s={"desk": 300})}
    for event in HAPPENED:
        moved = timedelta(seconds=300) if event.source == "/planted/desk" else timedelta()
        assert found[event.ref].time - event.time == moved


@pytest.mark.parametrize("marked", [True, False])
def test_a_machine_says_what_it_is_only_if_marked(marked: bool) -> None:
    accepted = [
        event
        for event in arrived(bots={"share": 0.4, "marked": marked})
        if isinstance(event, HandoffAccepted) and event.data.actor
    ]
    kinds = Counter(event.data.actor.kind for event in accepted if event.data.actor)
    assert kinds["bot"] == 0 if not marked else kinds["bot"] > 5
    assert len(accepted) > len([event for event in HAPPENED if isinstance(event, HandoffAccepted)])
