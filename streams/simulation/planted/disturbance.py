"""What goes wrong between work and log: wrong clocks, lost, repeated and late events, and disorder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from schemas.events import Event
from streams.simulation.planted.world import Disturbances

_DAY_S = 86400.0
_REPEATED_WITHIN_S = 3600.0


class _Arrival(NamedTuple):
    at: float
    number: int
    event: Event


def disturbed(events: Iterator[Event], by: Disturbances, seed: int) -> Iterator[Event]:
    """Events in order of time become what arrives, in the order of arrival. Another order is no other content.

    The same events are lost under a larger share as under a smaller one, and more. Memory: what is delayed.
    """
    queue: list[_Arrival] = []
    number = 0
    rng = Random(f"{seed}/disturbances")
    for event in events:
        at = event.time.timestamp()
        while queue and queue[0].at <= at:
            yield heappop(queue).event
        for delay_s in _arrivals(rng, by):
            heappush(queue, _Arrival(at + delay_s, number, _on_its_clock(event, by)))
            number += 1
    while queue:
        yield heappop(queue).event


def _arrivals(rng: Random, by: Disturbances) -> list[float]:
    """After how many seconds an event arrives: once, twice or never. Always as many dice, so that shares compare."""
    lost, late, astray, repeated = (rng.random() for _ in range(4))
    stray_s, again_s = rng.expovariate(1.0), rng.random()
    if lost < by.missing:
        return []
    delay_s = by.disorder.mean_s * stray_s if astray < by.disorder.share else 0.0
    if late < by.late.share:
        delay_s += by.late.days * _DAY_S
    again = [delay_s + again_s * _REPEATED_WITHIN_S] if repeated < by.duplicates else []
    return [delay_s, *again]


def _on_its_clock(event: Event, by: Disturbances) -> Event:
    """The event with the time that the clock of its source shows."""
    ahead_s = by.skew_s.get(event.source.rpartition("/")[2], 0.0)
    if not ahead_s:
        return event
    return event.model_copy(update={"time": event.time + timedelta(seconds=ahead_s)})
