"""A planted world as a stream of events, one week at a time."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import accumulate, chain, count
from math import exp
from random import Random
from typing import Any, NamedTuple

from schemas.events import Event
from schemas.events.intervention import TieName
from streams.simulation.people import WEEK_S, Person
from streams.simulation.plan import Plan, Step
from streams.simulation.planted.disturbance import disturbed
from streams.simulation.planted.hours import Hours
from streams.simulation.planted.item import Item
from streams.simulation.planted.quality import PlantedQuality
from streams.simulation.planted.truth import Truth
from streams.simulation.planted.world import Flow, Intervention, Role, World
from streams.simulation.rendering import HashActor, Renderer

_LARGEST_DRAW = 30.0


class _Due(NamedTuple):
    """A step in the order of time; the fields before `plan` decide ties."""

    at: float
    number: int
    ordinal: int
    plan: Plan
    step: Step


class _Beginning(NamedTuple):
    """A work item of which only the beginning is known, in the order of time."""

    at: float
    subject: str
    giver: str
    taker: str


class Simulation:
    """One pass over a world: its events and, when they have all been taken, the truth about them.

    The same world and seed make the same bytes, in any process. Cost: about 45 µs an event. Memory: the work
    items under way, where and when those of one week begin (200 bytes each), and the truth.

    Args:
        hash_actor: name → `<key-id>:<32 hex>`; no name leaves the simulation.
    """

    def __init__(self, world: World, seed: int, hash_actor: HashActor) -> None:
        self.world, self.seed = world, seed
        self.truth = Truth(world, seed)
        self._quality = PlantedQuality(world, seed)
        self._render = Renderer(hash_actor)
        self._hours = {
            name: Hours(world.calendars[role.calendar] if role.calendar else None) for name, role in world.roles.items()
        }
        self._teams = {name: _Team(name, role) for name, role in world.roles.items()}

    def events(self, weeks: int | None = None) -> Iterator[Event]:
        """What arrives, in the order of arrival. Work items that begin in the last week still run their course.

        Args:
            weeks: how many weeks of new work items; 0: without end; None: as many as the world has.
        """
        return disturbed(self.undisturbed(weeks), self.world.disturbances, self.seed)

    def undisturbed(self, weeks: int | None = None) -> Iterator[Event]:
        """What happened, in the order of time, before anything goes wrong with the log."""
        queue: list[_Due] = []
        numbers = count()
        for plan in self._plans(self.world.weeks if weeks is None else weeks):
            while queue and queue[0].at <= plan.arrived_at:
                yield self._event(heappop(queue))
            number = next(numbers)
            for ordinal, step in enumerate(plan.in_order()):
                heappush(queue, _Due(step.at, number, ordinal, plan, step))
        while queue:
            yield self._event(heappop(queue))

    def _event(self, due: _Due) -> Event:
        return self._render.event(due.plan, due.ordinal, due.step)

    def _plans(self, weeks: int) -> Iterator[Plan]:
        """Everything that begins, in order; each is planned when its turn comes."""
        flows = self.world.all_flows()
        for week in range(weeks) if weeks else count():
            start = self.world.start_s + week * WEEK_S
            yield from (self._intervention(each, start) for each in self.world.interventions if each.week == week)
            beginnings = (self._beginnings(flow, number, week, start) for number, flow in enumerate(flows))
            yield from map(self._planned, sorted(chain.from_iterable(beginnings)))

    def _beginnings(self, flow: Flow, number: int, week: int, start: float) -> Iterator[_Beginning]:
        """Work items of one flow and week, spread over the open hours of the giver."""
        rng = Random(f"{self.seed}/week/{week}/{flow.giver}/{flow.taker}")
        size = round(flow.items_per_week) if self.world.steady else _poisson(rng, flow.items_per_week)
        hours = self._hours[flow.giver]
        open_s = hours.open_s(start, start + WEEK_S)
        for place in range(size):
            arrived_at = hours.after(start, rng.random() * open_s)
            yield _Beginning(arrived_at, f"w{week}-{number}-{place}", flow.giver, flow.taker)

    def _planned(self, begins: _Beginning) -> Plan:
        plan = Plan(self.seed, self.world.process, begins.subject, self.world.site, begins.at)
        people = {role: self._teams[role].somebody(plan.rng) for role in (begins.giver, begins.taker)}
        item = Item(self.world, self._quality, plan, begins.giver, begins.taker, people, self._hours)
        item.run()
        self.truth.add(item.drawn)
        return plan

    def _intervention(self, change: Intervention, at: float) -> Plan:
        plan = Plan(self.seed, self.world.process, change.id, self.world.site, at)
        told: dict[str, Any] = {
            "name": change.name,
            "kind": change.kind,
            "hypothesis": change.hypothesis,
            "owner_role": change.owner_role,
            "ties": tuple(TieName(communicator_role=tie[0], experiencer_role=tie[1]) for tie in change.ties),
        }
        plan.act_as(None, at, "intervention.started", "/planted/intake", **told)
        return plan


class _Team:
    """The people of a role."""

    def __init__(self, role: str, size: Role) -> None:
        self._people = [Person(f"{role}#{number}") for number in range(size.people)]
        self._shares = list(accumulate((number + 1) ** -size.uneven for number in range(size.people)))

    def somebody(self, rng: Random) -> Person:
        """One of them, those with a larger share of the work more often."""
        return rng.choices(self._people, cum_weights=self._shares)[0]


def _poisson(rng: Random, mean: float) -> int:
    """Knuth's method, in parts small enough for its product not to vanish."""
    found = 0
    while mean > 0:
        limit, product = exp(-min(mean, _LARGEST_DRAW)), rng.random()
        while product > limit:
            product *= rng.random()
            found += 1
        mean -= _LARGEST_DRAW
    return found
