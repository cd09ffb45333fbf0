"""The connector for HL7 v2: visits, orders, results and documents of a hospital's systems."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.hl7v2.documents import read_document
from streams.gateway.connectors.hl7v2.er7 import read_message, split_messages
from streams.gateway.connectors.hl7v2.message_type import MessageType, read_type
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.orders import read_orders
from streams.gateway.connectors.hl7v2.results import read_results
from streams.gateway.connectors.hl7v2.visits import read_visits
from streams.gateway.edge.draft import Reading

_ORDERS = frozenset({"ORM", "OMG", "OML", "OMI", "ORR", "ORG", "ORL", "ORI"})
_UNUSED = frozenset(
    {"ACK", "BAR", "DFT", "MCF", "MFN", "OMP", "ORF", "ORP", "OUL", "PPR", "QBP", "RAS", "RDE", "RDS", "REF", "RGV"}
    | {"RRI", "RSP", "SIU", "SRM", "SRR", "VXU"}
)
"""Types that have a code of their own among what is not used; others share one, so that no sender makes up codes."""


class Hl7v2:
    """Reads one message, or a batch or file of them."""

    options_model: ClassVar[type[BaseModel]] = Hl7v2Options

    @property
    def name(self) -> Literal["hl7v2"]:
        return "hl7v2"

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """What the messages say, in their order. One of a batch that cannot be used is unused (`invalid.bad_time`).

        Raises: InvalidEvent: too_large, not_hl7, ... for the delivery; for a single message also what is wrong with it.
        Cost: grows with the bytes; a megabyte of nothing but separators takes some 10 ms.
        """
        options = Hl7v2Options.model_validate(context.options)
        messages = split_messages(delivery.body)
        if not messages:
            return Reading(unused=("empty_batch",))
        if len(messages) == 1:
            return _read(messages[0], context, options)
        readings = [_read_one_of_many(lines, context, options) for lines in messages]
        return Reading(
            tuple(draft for reading in readings for draft in reading.drafts),
            tuple(code for reading in readings for code in reading.unused),
        )


def _read_one_of_many(lines: list[bytes], context: Context, options: Hl7v2Options) -> Reading:
    try:
        return _read(lines, context, options)
    except InvalidEvent as invalid:
        return Reading(unused=(f"invalid.{invalid.code}",))


def _read(lines: list[bytes], context: Context, options: Hl7v2Options) -> Reading:
    message = read_message(lines)
    kind = read_type(message, options)
    if kind.type == "ADT":
        return read_visits(message, kind.trigger, context, options)
    if kind.type in _ORDERS:
        return read_orders(message, context, options)
    if kind.type == "ORU":
        return read_results(message, context, options)
    if kind.type == "MDM":
        return read_document(message, kind.trigger, context, options)
    return Reading(unused=(_code(kind),))


def _code(kind: MessageType) -> str:
    return f"type.{kind.type.lower()}" if kind.type in _UNUSED else "type.other"
