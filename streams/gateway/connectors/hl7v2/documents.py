"""Documents (MDM): who wrote one is known by the map of people, whom it is for by the source's settings."""

from __future__ import annotations

import re

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.hl7v2.codes import bounded
from streams.gateway.connectors.hl7v2.er7 import Message, Segment
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.orders import SENT
from streams.gateway.connectors.hl7v2.people import person
from streams.gateway.connectors.hl7v2.places import read_place
from streams.gateway.connectors.hl7v2.results import CORRECTED
from streams.gateway.connectors.hl7v2.times import Times, stamp
from streams.gateway.connectors.hl7v2.visit import NO_ROLE, NO_VISIT, visit_number
from streams.gateway.edge.draft import Acting, Draft, Reading

NO_DOCUMENT_NUMBER = "no_document_number"

_KNOWN = re.compile(r"T\d\d", re.ASCII)
_NEW = frozenset({"T01", "T02", "T05", "T06"})
"""An original document or an addendum to one, each with or without its content."""
_REPLACED = frozenset({"T09", "T10"})
"""A corrected document takes the place of the one that TXA-13 names."""


def read_document(message: Message, trigger: str, context: Context, options: Hl7v2Options) -> Reading:
    """What an MDM message says.

    Raises: InvalidEvent: a value or time that is needed cannot be used.
    """
    if trigger not in _NEW and trigger not in _REPLACED:
        return Reading(unused=(f"mdm.{trigger.lower()}" if _KNOWN.fullmatch(trigger) else "mdm.other",))
    told = _document(message, message.first("TXA"), trigger in _REPLACED, context, options)
    return Reading((told,)) if isinstance(told, Draft) else Reading(unused=(told,))


def _document(message: Message, txa: Segment, replaced: bool, context: Context, options: Hl7v2Options) -> Draft | str:
    visit = visit_number(message.first("PID"), message.first("PV1"), options)
    number = _number(txa, 13 if replaced else 12)
    author = _author(txa)
    role = context.roles.of_actor(author) if author else ""
    readers = options.documents.get(txa.value(2), ())
    if not visit or not number:
        return NO_DOCUMENT_NUMBER if visit else NO_VISIT
    if not role or not (readers or replaced):
        return NO_ROLE
    at = Times(message.header, options).first(
        [(message.first("EVN"), 6), (message.first("EVN"), 2), (message.header, 7)]
    )
    data: dict[str, object] = {"message_id": bounded(f"document:{number}"), "role": role}
    if not replaced:
        data |= {"to_roles": list(readers), "intent": "inform"}
    return Draft(
        type=CORRECTED if replaced else SENT,
        id=f"{visit}:document:{number}" + (f":replaced:{stamp(at)}" if replaced else ""),
        time=at,
        subject=visit,
        data=data,
        actor=author,
        site=read_place(message.first("PV1"), 3).site(options),
    )


def _author(txa: Segment) -> Acting | None:
    """Who authenticated it, else who is its originator or provider."""
    return person(txa, 9) or person(txa, 5)


def _number(txa: Segment, field: int) -> str:
    return txa.value(field) or txa.value(field, 3)
