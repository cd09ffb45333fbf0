"""Problems that one role raises with another, and how constructively they are answered."""

from __future__ import annotations

from streams.simulation.character import likelihood
from streams.simulation.people import on_duty
from streams.simulation.plan import Plan
from streams.simulation.targets import RESPOND_S

CHART = "/sim/chart"
_CONSTRUCTIVE = ("diagnose", "propose", "act", "act")
_UNCONSTRUCTIVE = ("blame", "refuse")


def raise_problem(plan: Plan, raiser: str, addressed: str, other: str, at: float) -> None:
    """A problem raised with `addressed`; a few are redirected to `other`, or answered with information only."""
    problem_id = f"p{plan.number()}"
    person = on_duty(plan.rng, raiser, plan.site, at)
    due = {"respond_by": at + plan.between(0.6, 2.0) * RESPOND_S} if plan.maybe(0.5) else {}
    implied = ("respond_by", at + RESPOND_S)
    told = {"role": raiser, "problem_id": problem_id, "to_roles": (addressed,), **due}
    plan.act_as(person, at, "problem.raised", CHART, implied, **told)
    limit_s = due["respond_by"] - at if due else RESPOND_S
    answered_at = _answer(plan, problem_id, raiser, addressed, other, at, limit_s)
    if plan.maybe(0.8):
        resolved_at = answered_at + plan.between(600, 5400)
        plan.act_as(person, resolved_at, "problem.resolved", CHART, role=raiser, problem_id=problem_id)
        if plan.maybe(0.05):
            plan.act(resolved_at + plan.between(600, 3600), "problem.reopened", CHART, raiser, problem_id=problem_id)


def _answer(plan: Plan, problem_id: str, raiser: str, addressed: str, other: str, at: float, limit_s: float) -> float:
    """Returns: when the last answer was due or came."""
    first, second = at + plan.between(0.1, 0.5) * limit_s, at + plan.between(0.6, 0.95) * limit_s
    if plan.maybe(0.04):
        _respond(plan, first, addressed, problem_id, "redirect", to_roles=(other,))
        _respond(plan, second, other, problem_id, "act")
        return second
    if plan.maybe(0.04):
        _respond(plan, first, addressed, problem_id, "inform")
        return first
    return _scored(plan, problem_id, raiser, addressed, (first, second), at + limit_s)


def _scored(
    plan: Plan, problem_id: str, raiser: str, addressed: str, times: tuple[float, float], due_at: float
) -> float:
    """One or two responses that say something about the tie, or silence. Silence is a poor outcome."""
    raised_at = times[0]
    chance = likelihood("problem_response", plan.process, addressed, raiser, raised_at)
    outcomes = [plan.maybe(chance) for _ in times[: 2 if plan.maybe(0.25) else 1]]
    plan.plant("problem_response", addressed, raiser, chance, sum(outcomes) / len(outcomes))
    if outcomes == [False] and plan.maybe(0.4):
        return due_at
    for at, good in zip(times, outcomes, strict=False):
        _respond(plan, at, addressed, problem_id, plan.rng.choice(_CONSTRUCTIVE if good else _UNCONSTRUCTIVE))
    return times[1]


def _respond(plan: Plan, at: float, role: str, problem_id: str, kind: str, to_roles: tuple[str, ...] = ()) -> None:
    plan.act(at, "problem.responded", CHART, role, problem_id=problem_id, kind=kind, to_roles=to_roles)
