"""The simulated world as a stream of events: some weeks of history up to now, then what happens next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from schemas.events import Event
from streams.simulation.arrivals import STREAMS, arriving, busy_end, planned, week_start
from streams.simulation.plan import Plan, Step
from streams.simulation.rendering import HashActor, Renderer
from streams.simulation.truth import PlantedTie, planted_ties

SPEED = 60.0
"""Live, an hour passes in a minute: an offer is due, and answered or overdue, while somebody looks on."""
_EVENTS_PER_ITEM = 23.0


class Happening(NamedTuple):
    """A step that is due in the order of time; the fields before `plan` decide ties."""

    at: float
    number: int
    ordinal: int
    plan: Plan
    step: Step


@dataclass(frozen=True)
class Scenario:
    """One world. Everything it says is a function of these fields.

    Attributes:
        seed: another seed is another world.
        end: aware; when history stops and live time begins.
        hash_actor: name → `<key-id>:<32 hex>`, such as `ActorKey.hash_actor`.
        weeks: how much history there is.
    """

    seed: int
    end: datetime
    hash_actor: HashActor
    weeks: int = 6

    def history(self) -> Iterator[Event]:
        """Every event before `end`, in order of time; some handoffs are then still open, a few of them overdue.

        Size: about 2,500 events a week. Cost: 30 µs for each. Two histories of one seed with different ends agree
        where they overlap, up to the rush before the earlier end, which has work items of its own.
        """
        render = Renderer(self.hash_actor)
        for happening in self._known():
            if happening.at >= self._end_s:
                return
            yield render.event(happening.plan, happening.ordinal, happening.step)

    def live(self, start: datetime, rate: float = 2.0, speed: float = SPEED) -> Iterator[tuple[datetime, Event]]:
        """What happens after the history, endlessly, in order; each event with when to send it (its own time).

        What was open goes on, and new work items arrive so that there are about `rate` events per second. Time runs
        `speed` times faster than in the history, and so do the due times that the events carry.

        Args:
            start: aware; the instant on the caller's clock that stands for `end`, usually now.
            rate: events per second once the first work items are under way.
        """
        offset, mark = start.timestamp(), f"~{int(start.timestamp())}"
        render = Renderer(self.hash_actor, lambda at: offset + (at - self._end_s) / speed, mark)
        for happening in _in_order([*self._plans()], self._newcomers(mark, rate, speed)):
            if happening.at >= self._end_s:
                event = render.event(happening.plan, happening.ordinal, happening.step)
                yield event.time, event

    def truth(self) -> tuple[PlantedTie, ...]:
        """What was planted in the history: for every tie and dimension, over work items that ran their course."""
        return planted_ties(self._plans(), self._end_s)

    @property
    def _end_s(self) -> float:
        return self.end.astimezone(UTC).timestamp()

    def _known(self) -> Iterator[Happening]:
        return _in_order((), self._plans())

    def _plans(self) -> Iterator[Plan]:
        plans = arriving(self.seed, week_start(self._end_s, self.weeks), self._end_s)
        return _by_arrival(plans, sorted(busy_end(self.seed, self._end_s), key=_arrival))

    def _newcomers(self, mark: str, rate: float, speed: float) -> Iterator[Plan]:
        """Work items that arrive after `end`, without end."""
        rng = Random(f"{self.seed}/live/{mark}")
        at = self._end_s
        for number in count():
            at += rng.expovariate(rate / _EVENTS_PER_ITEM / speed)
            process, site = rng.choice(STREAMS)
            yield planned(self.seed, process, site, at, f"{mark[1:]}-{number}")


def _arrival(plan: Plan) -> float:
    return plan.arrived_at


def _by_arrival(plans: Iterator[Plan], others: list[Plan]) -> Iterator[Plan]:
    """Merge two sequences that are both in order of arrival."""
    for plan in plans:
        while others and others[0].arrived_at <= plan.arrived_at:
            yield others.pop(0)
        yield plan
    yield from others


def _in_order(present: Iterable[Plan], arriving_plans: Iterator[Plan]) -> Iterator[Happening]:
    """All steps by time. Memory: only the plans that are under way."""
    queue: list[Happening] = []
    numbers = count()
    for plan in present:
        _enqueue(queue, plan, next(numbers))
    for plan in arriving_plans:
        while queue and queue[0].at <= plan.arrived_at:
            yield heappop(queue)
        _enqueue(queue, plan, next(numbers))
    while queue:
        yield heappop(queue)


def _enqueue(queue: list[Happening], plan: Plan, number: int) -> None:
    for ordinal, step in enumerate(plan.in_order()):
        heappush(queue, Happening(step.at, number, ordinal, plan, step))
