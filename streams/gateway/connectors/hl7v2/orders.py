"""Orders (ORM, OMG, OML, OMI and their responses): messages between the role that orders and the one that fulfils."""

from __future__ import annotations

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2.codes import bounded
from streams.gateway.connectors.hl7v2.er7 import Message
from streams.gateway.connectors.hl7v2.groups import Group, groups
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.order_roles import filler, orderer
from streams.gateway.connectors.hl7v2.people import person
from streams.gateway.connectors.hl7v2.places import read_place
from streams.gateway.connectors.hl7v2.times import Times, stamp
from streams.gateway.connectors.hl7v2.visit import NO_ROLE, NO_VISIT, visit_number
from streams.gateway.edge.draft import Draft, Reading

NO_ORDER_NUMBER = "no_order_number"
SENT = "tieline.communication.sent.v1"

_NEW = frozenset({"NW", "RO"})
_PLACER_SAYS = frozenset({"CA", "DC", "HD", "RL", "XO", "RP"})
"""Cancel, discontinue, hold, release, change, replace."""
_ANSWERS = frozenset({"OK", "UA", "CR", "UC", "DR", "UD", "HR", "UH", "XR", "UX", "RQ", "UM"})
"""Accepted or done as asked, and unable to."""
_FILLER_SAYS = frozenset({"OC", "OD", "OH", "OR", "SC"})
"""Cancelled, discontinued, held or released by the filler; status changed."""
_KNOWN = _NEW | _PLACER_SAYS | _ANSWERS | _FILLER_SAYS


def read_orders(message: Message, context: Context, options: Hl7v2Options) -> Reading:
    """What the orders of a message say, in their order.

    Raises: InvalidEvent: a value or time that is needed cannot be used.
    """
    visit = visit_number(message, options)
    times = Times(message.header, options)
    drafts: list[Draft] = []
    unused: list[str] = []
    for group in groups(message):
        if not group.leads:
            continue
        told = _order(group, message, visit, times, context, options)
        if isinstance(told, Draft):
            drafts.append(told)
        else:
            unused.append(told)
    return Reading(tuple(drafts), tuple(unused) or (() if drafts else (NO_ORDER_NUMBER,)))


def _order(
    group: Group, message: Message, visit: str, times: Times, context: Context, options: Hl7v2Options
) -> Draft | str:
    """What one order says, or the code of why it is not used."""
    control = group.orc.value(1)
    subject = group.order if options.work_item == "order" else visit
    if control not in _KNOWN:
        return "order.other"
    if not subject or not group.order:
        return NO_ORDER_NUMBER if not group.order else NO_VISIT
    asks = orderer(group, message, context, options)
    does = _filler(group, message, control, context)
    if not asks or not does:
        return NO_ROLE
    at = times.first([(group.orc, 9), (message.header, 7)])
    told_by_placer = control in _NEW or control in _PLACER_SAYS
    number = bounded(group.order)
    new = control in _NEW
    data: dict[str, object] = {
        "message_id": number if new else bounded(f"{group.order}:{control}:{stamp(at)}"),
        "role": asks if told_by_placer else does,
        "to_roles": [does if told_by_placer else asks],
        "intent": "request" if told_by_placer else "answer" if control in _ANSWERS else "inform",
    }
    if new and options.orders_expect_reply:
        data["expects_reply"] = True
    if control in _ANSWERS:
        data["in_reply_to"] = number
    return Draft(
        type=SENT,
        # An order is placed once; everything else may be said again at another time.
        id=f"{subject}:order:{group.order}:{control}" + ("" if new else f":{stamp(at)}"),
        time=at,
        subject=subject,
        data=data,
        # What the filler says repeats the people of the order: none of them said it.
        actor=(person(group.orc, 12) or person(group.obr, 16) or person(group.orc, 10)) if told_by_placer else None,
        site=read_place(message.first("PV1"), 3).site(options),
    )


def _filler(group: Group, message: Message, control: str, context: Context) -> str:
    """Whoever got the message if the orderer sent it, else whoever sent it."""
    application, facility = (5, 6) if control in _NEW or control in _PLACER_SAYS else (3, 4)
    return filler(group, context, (message.header, application), (message.header, facility))
