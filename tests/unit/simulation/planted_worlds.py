"""Small planted worlds, and what the inference finds in their logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow
from streams.inference.facts import facts
from streams.simulation.planted.people import simulated_people
from streams.simulation.planted.promised import matching_policy
from streams.simulation.planted.simulation import Simulation
from streams.simulation.planted.world import World

OFFICE = {
    "zone": "Europe/Amsterdam",
    "hours": {day: ["08:00-12:00", "13:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["2026-04-06"],
}
Found = dict[tuple[str, str, str], list[float]]


def world(**fields: Any) -> World:
    """Three weeks of a few items, all kinds of episodes; over the change of clocks, with one role in an office."""
    given: dict[str, Any] = {
        "start": "2026-03-23",
        "weeks": 3,
        "items_per_week": 8,
        "calendars": {"office": OFFICE},
        "roles": {"nurse": {"people": 8}, "desk": {"people": 6, "calendar": "office"}},
    }
    return World.model_validate(given | fields)


def simulation(seed: int = 1, **fields: Any) -> Simulation:
    return Simulation(world(**fields), seed, simulated_people(seed).hash_actor)


def found_in(events: Iterable[Event], of: World) -> Found:
    """(communicator, experiencer, dimension) to the values of all ripe evidence."""
    items: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if "intervention" not in event.type:
            items[event.subject].append(event)
    policies = PolicyBook((matching_policy(of),))
    as_of = max(event.time for each in items.values() for event in each) + timedelta(days=60)
    values: Found = defaultdict(list)
    for each in items.values():
        for row in facts(each, policies, as_of).rows.values():
            if isinstance(row, EvidenceRow) and row.value is not None:
                values[row.communicator_role, row.experiencer_role, row.dimension].append(row.value)
    return values
