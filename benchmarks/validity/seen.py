"""The real path from a simulated log to evidence: events, `facts`, rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from schemas.events import Event
from schemas.policy import Policy, PolicyBook
from schemas.rows import EvidenceRow
from streams.inference.facts import facts
from streams.simulation.planted.people import simulated_people
from streams.simulation.planted.simulation import Simulation
from streams.simulation.planted.world import World

_SETTLED = timedelta(days=90)
_LINGER = timedelta(days=60)


def simulation_of(world: World, seed: int) -> Simulation:
    """One pass over a world."""
    return Simulation(world, seed, simulated_people(seed).hash_actor)


def evidence_of(events: Iterable[Event], policy: Policy) -> Iterator[EvidenceRow]:
    """Ripe evidence of all work items, long after the last of their events. Memory: the items of sixty days."""
    policies, items = PolicyBook((policy,)), dict[str, list[Event]]()
    last: dict[str, datetime] = defaultdict(lambda: datetime.min)
    for number, event in enumerate(events):
        if event.type.startswith("tieline.intervention"):
            continue
        items.setdefault(event.subject, []).append(event)
        last[event.subject] = event.time
        if number % 50_000 == 49_999:
            for subject in [subject for subject in items if event.time - last[subject] > _LINGER]:
                yield from _ripe(items.pop(subject), policies)
    for found in items.values():
        yield from _ripe(found, policies)


def _ripe(events: list[Event], policies: PolicyBook) -> Iterator[EvidenceRow]:
    as_of = max(event.time for event in events) + _SETTLED
    for row in facts(events, policies, as_of).rows.values():
        if isinstance(row, EvidenceRow) and row.ripe:
            yield row
