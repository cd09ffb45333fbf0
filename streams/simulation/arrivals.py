"""When work items begin. A function of the seed and of absolute time: two histories agree wherever they overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from math import exp
from random import Random

from streams.simulation.encounter import plan_encounter
from streams.simulation.incident import plan_incident
from streams.simulation.people import ED_TO_WARD, HOUR_S, INCIDENT, WARDS, WEEK_S, ZONE
from streams.simulation.plan import Plan

ENCOUNTERS_PER_WEEK = 34.0
"""To each ward."""
INCIDENTS_PER_WEEK = 110.0

# Share of a day's arrivals by local hour: a morning peak, a smaller one in the evening, quiet nights.
_ED_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 12, 9, 7, 6, 6, 6, 6, 7, 8, 8, 6, 5, 4, 3, 2)
_TICKET_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 12, 12, 10, 8, 6, 8, 8, 7, 6, 4, 3, 2, 2, 1, 1, 1)
_WEEKDAYS = {ED_TO_WARD: (1.1, 1.0, 1.0, 1.0, 1.1, 0.9, 0.9), INCIDENT: (1.5, 1.3, 1.2, 1.2, 1.2, 0.3, 0.3)}
_HOURS = {ED_TO_WARD: _ED_HOURS, INCIDENT: _TICKET_HOURS}
_PER_WEEK = {ED_TO_WARD: ENCOUNTERS_PER_WEEK, INCIDENT: INCIDENTS_PER_WEEK}
STREAMS: tuple[tuple[str, str], ...] = (*((ED_TO_WARD, ward) for ward in WARDS), (INCIDENT, ""))
"""(process, site) of everything that arrives."""
_PLANNERS: dict[str, Callable[[Plan], None]] = {ED_TO_WARD: plan_encounter, INCIDENT: plan_incident}
_PREFIX = {ED_TO_WARD: "enc", INCIDENT: "inc"}


def planned(seed: int, process: str, site: str, at: float, number: str) -> Plan:
    """The complete plan of the work item that arrives at `at`; `number` tells those of one second apart."""
    subject = f"{_PREFIX[process]}-{number}{site[-2:]}"
    plan = Plan(seed, process, subject, site, at)
    _PLANNERS[process](plan)
    return plan


def arriving(seed: int, start: float, end: float) -> Iterator[Plan]:
    """Every work item that arrives in [start, end), in order of arrival."""
    for hour in range(int(start // HOUR_S), int(end // HOUR_S) + 1):
        plans = (plan for process, site in STREAMS for plan in _of_hour(seed, process, site, hour))
        yield from sorted((p for p in plans if start <= p.arrived_at < end), key=lambda plan: plan.arrived_at)


def _of_hour(seed: int, process: str, site: str, hour: int) -> Iterator[Plan]:
    rng = Random(f"{seed}/{process}/{site}/{hour}")
    for place in range(_poisson(rng, _expected(process, hour))):
        yield planned(seed, process, site, (hour + rng.random()) * HOUR_S, f"{hour}-{place}")


def _expected(process: str, hour: int) -> float:
    local = datetime.fromtimestamp(hour * HOUR_S, ZONE)
    hours, days = _HOURS[process], _WEEKDAYS[process]
    return _PER_WEEK[process] * days[local.weekday()] / sum(days) * hours[local.hour] / sum(hours)


def _poisson(rng: Random, mean: float) -> int:
    """Knuth's method: fine for the small means of an hour."""
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def busy_end(seed: int, end: float) -> Iterator[Plan]:
    """A rush in the last hours before `end`, so that a board made at that moment has something to show.

    These items have ids of their own `end`; they add to the arrivals and change none of them.
    """
    rng = Random(f"{seed}/rush/{end}")
    for place in range(36):
        process, site = STREAMS[place % len(STREAMS)]
        before_s = rng.uniform(0.3, 4.0 if process == ED_TO_WARD else 12.0) * HOUR_S
        yield planned(seed, process, site, end - before_s, f"{int(end)}-rush{place}")


def week_start(end: float, weeks: int) -> float:
    """When a history of so many weeks begins."""
    return end - weeks * WEEK_S
