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
from streams.gateway.edge.draft import Acting, Draft, Reading

NO_ORDER_NUMBER = "no_order_number"
SENT = "tieline.communication.sent.v1"

_NEW = frozenset({"NW", "RO"})
_BY_ORDERER = _NEW | {"CA", "DC", "HD", "RL", "XO", "RP"}
"""Also cancel, discontinue, hold, release, change, replace."""
_ANSWERS = frozenset({"OK", "UA", "CR", "UC", "DR", "UD", "HR", "UH", "XR", "UX", "RQ", "UM"})
"""Accepted or done as asked, and unable to."""
_UNASKED = frozenset({"OC", "OD", "OH", "OR", "SC"})
"""Cancelled, discontinued, held or released by the filler; status changed."""
_KNOWN = _BY_ORDERER | _ANSWERS | _UNASKED


def read_orders(message: Message, context: Context, options: Hl7v2Options) -> Reading:
    """What the orders of a message say, in their order.

    Raises: InvalidEvent: a value or time that is needed cannot be used.
    """
    times = Times(message.header, options)
    told = [_order(group, message, times, context, options) for group in groups(message) if group.leads]
    drafts = tuple(each for each in told if isinstance(each, Draft))
    unused = tuple(each for each in told if isinstance(each, str))
    return Reading(drafts, unused or (() if drafts else (NO_ORDER_NUMBER,)))


def _order(group: Group, message: Message, times: Times, context: Context, options: Hl7v2Options) -> Draft | str:
    """What one order says, or the code of why it is not used."""
    control = group.orc.value(1)
    if control not in _KNOWN:
        return "order.other"
    subject = subject_of(group, options)
    if not subject or not group.order:
        return NO_VISIT if group.order else NO_ORDER_NUMBER
    asks, does = orderer(group, context, options), _filler(group, message, control, context)
    if not asks or not does:
        return NO_ROLE
    at = times.first([(group.orc, 9), (message.header, 7)])
    # An order is placed once; everything else may be said again at another time.
    said = control if control in _NEW else f"{control}:{stamp(at)}"
    data = _data(group.order, said, asks, does)
    if control in _NEW and options.orders_expect_reply:
        data["expects_reply"] = True
    return Draft(
        type=SENT,
        id=f"{subject}:order:{group.order}:{said}",
        time=at,
        subject=subject,
        data=data,
        # What the filler says repeats the people of the order: none of them said it.
        actor=_who_orders(group) if control in _BY_ORDERER else None,
        site=read_place(group.pv1, 3).site(options),
    )


def subject_of(group: Group, options: Hl7v2Options) -> str:
    """What an order and its result are about; empty if that is not told."""
    return group.order if options.work_item == "order" else visit_number(group.pid, group.pv1, options)


def _data(order: str, said: str, asks: str, does: str) -> dict[str, object]:
    control = said.partition(":")[0]
    by_orderer = control in _BY_ORDERER
    data: dict[str, object] = {
        "message_id": bounded(order if control in _NEW else f"{order}:{said}"),
        "role": asks if by_orderer else does,
        "to_roles": [does if by_orderer else asks],
        "intent": "request" if by_orderer else "answer" if control in _ANSWERS else "inform",
    }
    if control in _ANSWERS:
        data["in_reply_to"] = bounded(order)
    return data


def _filler(group: Group, message: Message, control: str, context: Context) -> str:
    """Whoever got the message if the orderer sent it, else whoever sent it."""
    application, facility = (5, 6) if control in _BY_ORDERER else (3, 4)
    return filler(group, context, (message.header, application), (message.header, facility))


def _who_orders(group: Group) -> Acting | None:
    return person(group.orc, 12) or person(group.obr, 16) or person(group.orc, 10)
