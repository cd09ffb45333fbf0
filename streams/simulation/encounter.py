"""`ed-to-ward`: a patient leaves the emergency department for a ward, with explicit handoffs, messages and problems."""

from __future__ import annotations

from streams.simulation.conversation import ask, converse
from streams.simulation.difficulty import raise_problem
from streams.simulation.handover import EHR_SOURCE, Handover
from streams.simulation.people import EHR, HOUR_S
from streams.simulation.plan import Plan
from streams.simulation.targets import CONTACT_HIGH, CONTACT_LOW


def plan_encounter(plan: Plan) -> None:
    """Bed, physicians' handoff, nurses' handoff, sometimes a consult; then the work item closes."""
    at = plan.arrived_at
    plan.act_as(EHR, at, "work_item.opened", EHR_SOURCE)
    bed_at = at + plan.between(300, 2400)
    _hand_over(plan, "ed-physician", "bed-manager", bed_at)
    physicians_at = bed_at + plan.between(600, 3000)
    seen_at = _hand_over(plan, "ed-physician", "ward-physician", physicians_at, needed=True)
    nurses_at = physicians_at + plan.between(900, 3600)
    arrived_at = _hand_over(plan, "ed-nurse", "ward-nurse", nurses_at, needed=True)
    if plan.maybe(0.55):
        raise_problem(plan, "ward-nurse", "ed-nurse", "bed-manager", arrived_at + plan.between(60, 3600))
    if plan.maybe(0.50):
        raise_problem(plan, "ward-physician", "ed-physician", "cardiology", seen_at + plan.between(60, 3600))
    if plan.maybe(0.20):
        raise_problem(plan, "ed-physician", "ward-physician", "bed-manager", physicians_at + plan.between(60, 1800))
    if plan.maybe(0.50):
        ask(plan, "ward-nurse", "ward-physician", arrived_at + plan.between(60, 7200))
    if plan.maybe(0.06):
        _consult(plan, seen_at + plan.between(1800, 7200))
    plan.act_as(EHR, plan.last_at() + plan.between(0.5, 3) * HOUR_S, "work_item.closed", EHR_SOURCE)


def _hand_over(plan: Plan, giver: str, taker: str, at: float, needed: bool = False) -> float:
    """A handoff and the talk that goes with it. Returns: when the taker worked."""
    handover = Handover(plan, giver, taker, needed=needed)
    worked_at = handover.run(at)
    _talk(plan, handover)
    return worked_at


def _talk(plan: Plan, handover: Handover) -> None:
    """As many messages as planted, between the last offer and soon after acceptance.

    Every accepted offer of this handoff sees the same messages, so the outcome is planted once for each.
    """
    roles = (handover.giver, handover.taker)
    first, second = sorted(roles)
    enough = plan.draw("contact", first, second, handover.offered_at)
    for _ in handover.accepted_at[1:]:
        plan.planted.append(plan.planted[-1])
    too_few_or_many = 0 if plan.maybe(0.7) else CONTACT_HIGH + 1
    messages = plan.rng.randint(CONTACT_LOW, CONTACT_HIGH) if enough else too_few_or_many
    converse(plan, roles, handover.offered_at, handover.accepted_at[-1] + HOUR_S, messages)


def _consult(plan: Plan, at: float) -> None:
    """Cardiology looks at the patient and gives the work item back: a planned return, not a bounce."""
    asked = Handover(plan, "ward-physician", "cardiology", intent="consult")
    back = Handover(plan, "cardiology", "ward-physician", intent="consult", accepted_at=asked.accepted_at)
    worked_at = asked.run(at)
    back.run(worked_at + plan.between(600, 3600), follows=asked.handoff_id)
    _talk(plan, back)
