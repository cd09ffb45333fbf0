"""Messages between two roles about a work item: questions, replies or silence, corrections."""

from __future__ import annotations

from schemas.vocabulary import MessageIntent
from streams.simulation.people import Person, on_duty
from streams.simulation.plan import Plan
from streams.simulation.targets import REPLY_S

PAGING = "/sim/paging"


def converse(plan: Plan, roles: tuple[str, str], start: float, end: float, messages: int) -> None:
    """Exactly `messages` messages between two roles, begun in [start, end); late replies come a little later.

    About half of what is said are questions, each with or without its reply; a reply is one of the messages.
    """
    while messages > 0:
        sender, receiver = roles if plan.maybe(0.5) else roles[::-1]
        at = plan.between(start, end)
        if messages >= 2 and plan.maybe(0.6):
            messages -= ask(plan, sender, receiver, at)
        else:
            messages -= 1
            _say(plan, on_duty(plan.rng, sender, plan.site, at), sender, receiver, at, "inform")


def ask(plan: Plan, asker: str, replier: str, at: float) -> int:
    """A question and what came of it.

    Returns: how many messages that were: two, or one where nobody ever replied.
    """
    due_at = at + plan.between(0.5, 1.5) * REPLY_S if plan.maybe(0.3) else None
    limit_s = (due_at or at + REPLY_S) - at
    person = on_duty(plan.rng, asker, plan.site, at)
    question = _say(plan, person, asker, replier, at, "question", expects_reply=True, reply_due_at=due_at)
    in_time = plan.draw("reply", replier, asker, at)
    if not in_time and plan.maybe(0.4):
        return 1
    reply_at = at + limit_s * (plan.between(0.05, 0.95) if in_time else plan.between(1.05, 3.0))
    _say(
        plan,
        on_duty(plan.rng, replier, plan.site, reply_at),
        replier,
        asker,
        reply_at,
        "answer",
        in_reply_to=question,
        reader=person,
    )
    return 2


def _say(
    plan: Plan,
    person: Person,
    sender: str,
    receiver: str,
    at: float,
    intent: MessageIntent,
    reader: Person | None = None,
    **details: object,
) -> str:
    """One message, perhaps read, perhaps wrong. Returns: its id."""
    message_id = f"m{plan.number()}"
    said = {key: value for key, value in details.items() if value is not None}
    plan.act_as(
        person,
        at,
        "communication.sent",
        PAGING,
        ("reply_due_at", at + REPLY_S) if "expects_reply" in said else None,
        role=sender,
        message_id=message_id,
        to_roles=(receiver,),
        intent=intent,
        **said,
    )
    read_at = at + plan.between(60, 900)
    reader = reader or on_duty(plan.rng, receiver, plan.site, read_at)
    if not plan.draw("message_accuracy", sender, receiver, at):
        plan.act_as(
            reader,
            read_at + plan.between(60, 1800),
            "communication.corrected",
            PAGING,
            role=receiver,
            message_id=message_id,
            reported_by=receiver,
        )
    elif plan.maybe(0.04):  # noticed by the sender before anybody could act on it
        plan.act_as(person, at + 5, "communication.corrected", PAGING, role=sender, message_id=message_id)
    if plan.maybe(0.35):
        plan.act_as(reader, read_at, "communication.read", PAGING, role=receiver, message_id=message_id)
    return message_id
