"""Results (ORU): what the role that fulfilled an order tells the role that ordered."""

from __future__ import annotations

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2.codes import bounded
from streams.gateway.connectors.hl7v2.er7 import Message
from streams.gateway.connectors.hl7v2.groups import Group, groups
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.order_roles import filler, orderer
from streams.gateway.connectors.hl7v2.orders import NO_ORDER_NUMBER, SENT, subject_of
from streams.gateway.connectors.hl7v2.people import person
from streams.gateway.connectors.hl7v2.places import read_place
from streams.gateway.connectors.hl7v2.times import Times, stamp
from streams.gateway.connectors.hl7v2.visit import NO_ROLE, NO_VISIT
from streams.gateway.edge.draft import Draft, Reading

CORRECTED = "tieline.communication.corrected.v1"

_FINAL, _CORRECTED = "F", "C"
_STATUSES = {
    "": "result.no_status",
    "A": "result.partial",
    "I": "result.pending",
    "O": "result.ordered",
    "P": "result.preliminary",
    "R": "result.unverified",
    "S": "result.scheduled",
    "X": "result.cancelled",
}


def read_results(message: Message, context: Context, options: Hl7v2Options) -> Reading:
    """What the results of a message say: one message for each test that is final, or that was and is corrected.

    Raises: InvalidEvent: a value or time that is needed cannot be used.
    """
    times = Times(message.header, options)
    told = [_result(group, message, times, context, options) for group in groups(message)]
    drafts = tuple(draft for draft in told if isinstance(draft, Draft))
    unused = tuple(code for code in told if isinstance(code, str))
    return Reading(drafts, unused or (() if drafts else (NO_ORDER_NUMBER,)))


def _result(group: Group, message: Message, times: Times, context: Context, options: Hl7v2Options) -> Draft | str:
    """What one result says, or the code of why it is not used."""
    status = group.obr.value(25)
    if status not in (_FINAL, _CORRECTED):
        return _STATUSES.get(status, "result.other")
    subject = subject_of(group, options)
    if not subject or not group.order:
        return NO_VISIT if group.order else NO_ORDER_NUMBER
    does = filler(group, context, (message.header, 3), (message.header, 4))
    asked = orderer(group, context, options)
    if not does or not asked:
        return NO_ROLE
    at = times.first([(group.obr, 22), (message.header, 7)])
    # An order may be of several tests.
    number = f"{group.order}:{group.obr.value(4)}"
    data: dict[str, object] = {"message_id": bounded(f"{number}:result"), "role": does}
    if status == _FINAL:
        data |= {"to_roles": [asked], "in_reply_to": bounded(group.order), "intent": "answer"}
    return Draft(
        type=SENT if status == _FINAL else CORRECTED,
        id=f"{subject}:result:{number}:{status}:{stamp(at)}",
        time=at,
        subject=subject,
        data=data,
        actor=person(group.obr, 32) or person(group.obx, 16),
        site=read_place(group.pv1, 3).site(options),
    )
