"""What kind of message it is (MSH-9), and whether it is one that is real and that can be read (MSH-11, MSH-12)."""

from __future__ import annotations

import re
from typing import NamedTuple

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2.er7 import Message
from streams.gateway.connectors.hl7v2.options import Hl7v2Options

_TYPE = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_TRIGGER = re.compile(r"[A-Z][A-Z0-9]\d", re.ASCII)
_VERSION = re.compile(r"2(\.\d+)*", re.ASCII)


class MessageType(NamedTuple):
    """`ADT` and `A01`; the trigger is empty where a response has none."""

    type: str
    trigger: str


def read_type(message: Message, options: Hl7v2Options) -> MessageType:
    """The type of a message that may be read.

    Raises: InvalidEvent: missing_field or unsupported_type at MSH-9, unsupported_processing_id at MSH-11,
        unsupported_version at MSH-12.
    """
    header = message.header
    found = header.value(9)
    trigger = header.value(9, 2) or message.first("EVN").value(1)
    if not found:
        raise InvalidEvent("missing_field", "MSH-9")
    if not _TYPE.fullmatch(found) or (trigger and not _TRIGGER.fullmatch(trigger)):
        raise InvalidEvent("unsupported_type", "MSH-9")
    if header.value(11) not in ("", *options.processing_ids):
        raise InvalidEvent("unsupported_processing_id", "MSH-11")
    version = header.value(12)
    if version and not _VERSION.fullmatch(version):
        raise InvalidEvent("unsupported_version", "MSH-12")
    return MessageType(found, trigger)
