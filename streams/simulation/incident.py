"""`incident`: tickets of an ownership log. Nobody offers or accepts anything; handoffs have to be inferred."""

from __future__ import annotations

from datetime import datetime, timedelta

from streams.simulation.people import HOUR_S, TICKETING, ZONE, Person, on_duty
from streams.simulation.plan import Plan
from streams.simulation.targets import CLOSES_H, HOLIDAYS, INCIDENT_ACCEPT_S, OPENS_H

TICKETS = "/sim/tickets"
CLOSE = ""
_ONWARD: dict[str, dict[str, float]] = {
    "level-1": {CLOSE: 0.22, "level-2": 0.78},
    "level-2": {CLOSE: 0.40, "level-3": 0.24, "network": 0.25, "level-1": 0.11},
    "level-3": {CLOSE: 0.68, "change-desk": 0.12, "level-2": 0.20},
    "network": {CLOSE: 0.72, "level-2": 0.28},
    "change-desk": {"network": 1.0},
}
_SIDEWAYS = {"level-2": "level-3", "change-desk": "network"}
"""Where an owner sends on what is not theirs, instead of back."""
_MOST_OWNERS = 9
_WAITING = "awaiting-customer"


def plan_incident(plan: Plan) -> None:
    """Opened by the intake system, first worked by level 1, then wherever it leads until somebody closes it."""
    at = plan.arrived_at
    plan.act_as(TICKETING, at, "work_item.opened", TICKETS)
    plan.act_as(TICKETING, at + 1, "work_item.assigned", TICKETS, role="level-1")
    at += plan.between(120, 1800)
    person = _work(plan, "level-1", at)
    owner, at = _pass_around(plan, "level-1", person, at)
    plan.act(at + plan.between(300, 5400), "work_item.closed", TICKETS, owner)
    if plan.maybe(0.04):
        _reopen(plan, owner)


def _pass_around(plan: Plan, owner: str, person: Person, at: float) -> tuple[str, float]:
    """From owner to owner. Returns: who is left with it, and when they last worked."""
    giver = ""
    for _ in range(_MOST_OWNERS):
        onward = _ONWARD[owner]
        taker = plan.rng.choices(tuple(onward), tuple(onward.values()))[0]
        if taker == CLOSE:
            break
        at += plan.between(300, 5400)
        plan.act_as(person, at, "work_item.assigned", TICKETS, role=taker)
        giver, owner = owner, taker
        owner, giver, person, at = _until_worked(plan, giver, owner, at)
    return owner, at


def _until_worked(plan: Plan, giver: str, owner: str, at: float) -> tuple[str, str, Person, float]:
    """The new owner works, or passes it on unworked until somebody does.

    Returns: owner, who gave it to them, who worked, when.
    """
    while not _takes_it_on(plan, giver, owner, at):
        passed_at = _in_hours(owner, at, plan.between(0.1, 0.8) * INCIDENT_ACCEPT_S)
        taker = _unworked_to(plan, giver, owner)
        plan.act_as(
            on_duty(plan.rng, owner, plan.site, passed_at), passed_at, "work_item.assigned", TICKETS, role=taker
        )
        giver, owner, at = owner, taker, passed_at
    worked_at, person = _accept(plan, giver, owner, at)
    return owner, giver, person, worked_at


def _takes_it_on(plan: Plan, giver: str, owner: str, at: float) -> bool:
    # Passing on is a router's job: the change desk's tie says nothing about advancing.
    return plan.maybe(0.5) if owner == "change-desk" else plan.draw("handoff_advanced", owner, giver, at)


def _unworked_to(plan: Plan, giver: str, owner: str) -> str:
    """Usually back to the giver; nothing goes back to the change desk, whose part is done."""
    if giver == "change-desk":
        return "level-2"
    back = owner != "change-desk" and plan.maybe(0.7)
    return giver if back else _SIDEWAYS.get(owner, giver)


def _accept(plan: Plan, giver: str, owner: str, at: float) -> tuple[float, Person]:
    """First work, in time or late; a few are late by the clock on the wall but in time because of a pause."""
    in_time = plan.draw("handoff_acceptance", owner, giver, at)
    share = plan.between(0.05, 0.95) if in_time else 1.1 + plan.rng.lognormvariate(0.0, 1.0)
    if in_time and plan.maybe(0.03) and owner != "change-desk":
        paused_at = at + 0.1 * INCIDENT_ACCEPT_S
        plan.act(paused_at, "work_item.paused", TICKETS, giver, reason=_WAITING)
        plan.act(paused_at + INCIDENT_ACCEPT_S, "work_item.resumed", TICKETS, giver)
        share = plan.between(1.2, 1.8)
    worked_at = _in_hours(owner, at, share * INCIDENT_ACCEPT_S)
    return worked_at, _work(plan, owner, worked_at)


def _work(plan: Plan, role: str, at: float) -> Person:
    """Somebody works, sometimes waits for the customer in between."""
    person = on_duty(plan.rng, role, plan.site, at)
    plan.act_as(person, at, "work_item.worked", TICKETS, role=role)
    if plan.maybe(0.10):
        plan.act_as(person, at + 60, "work_item.paused", TICKETS, role=role, reason=_WAITING)
        plan.act_as(person, at + 240, "work_item.resumed", TICKETS, role=role)
    return person


def _reopen(plan: Plan, owner: str) -> None:
    at = plan.last_at() + plan.between(2, 20) * HOUR_S
    plan.act_as(TICKETING, at, "work_item.reopened", TICKETS)
    at += plan.between(0.5, 4) * HOUR_S
    _work(plan, owner, at)
    plan.act(at + plan.between(600, 7200), "work_item.closed", TICKETS, owner)


def _in_hours(role: str, start: float, seconds: float) -> float:
    """`seconds` of the role's time after `start`: of business hours for the change desk, else of the wall clock."""
    if role != "change-desk":
        return start + seconds
    local = datetime.fromtimestamp(start, ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        opens, closes = midnight.replace(hour=OPENS_H).timestamp(), midnight.replace(hour=CLOSES_H).timestamp()
        begins = max(start, opens)
        if midnight.weekday() < 5 and (midnight.month, midnight.day) not in HOLIDAYS and begins < closes:
            if seconds <= closes - begins:
                return begins + seconds
            seconds -= closes - begins
        midnight += timedelta(days=1)
