"""HL7 v2 in its pipe form (ER7), read as far as it is asked for: the cost grows with bytes, not with separators.

A message is never taken apart as a whole. Lines are found, and of the few segments that matter fields are split when
somebody asks for one. Values are checked when they are used: what nobody reads cannot make a message invalid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2.charset import DAMAGED, codec_of, decode
from streams.gateway.connectors.hl7v2.escapes import unescape
from streams.gateway.connectors.hl7v2.separators import Separators, read_separators

MAX_BYTES = 1 << 20
MAX_SEGMENTS = 10_000
MAX_MESSAGES = 200
MAX_ORDERS = 500
MAX_VALUE = 256

_LAST_FIELD = 60  # nothing behind PV1-50 is read
_LAST_PART = 32
_NULL = '""'
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")
_READ = frozenset({b"EVN", b"PID", b"PV1", b"ORC", b"OBR", b"OBX", b"TXA"})
_ORDERS = (b"ORC", b"OBR")
LINE_ENDS = re.compile(rb"[\r\n]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Segment:
    """One line. Nothing of it is ever in a repr."""

    name: str
    text: str = field(repr=False)
    separators: Separators = field(repr=False)

    @cached_property
    def _fields(self) -> list[str]:
        return self.text.split(self.separators.field, _LAST_FIELD)

    def raw(self, number: int) -> str:
        """A field as it was sent, with all repetitions; fields are counted from 1, and MSH-1 is the separator."""
        if self.name == "MSH":
            if number == 1:
                return self.separators.field
            number -= 1
        return self._fields[number] if number < len(self._fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """The repetitions of a field as they were sent, at most 32; the last of more is what is left."""
        if not self.separators.repetition:
            return [self.raw(number)]
        return self.raw(number).split(self.separators.repetition, _LAST_PART)

    def value(self, number: int, component: int = 1, part: int = 1) -> str:
        """A part of the first repetition, unescaped, without the spaces around it; empty for none and for HL7's null.

        Raises: InvalidEvent: too_long, control_character or bad_encoding at `PV1-19`.
        """
        return self.part_of(self.repetitions(number)[0], number, component, part)

    def part_of(self, repetition: str, number: int, component: int = 1, part: int = 1) -> str:
        """As `value`, of a repetition that `repetitions` gave."""
        text = _nth(repetition, self.separators.component, component)
        text = _nth(text, self.separators.subcomponent, part).strip(" ")
        if not text or text == _NULL:
            return ""
        return self._checked(text, f"{self.name}-{number}")

    def _checked(self, text: str, path: str) -> str:
        if len(text) > MAX_VALUE:
            raise InvalidEvent("too_long", path)
        text = unescape(text, self.separators).strip(" ")
        if DAMAGED in text:
            raise InvalidEvent("bad_encoding", path)
        if _CONTROL.search(text):
            raise InvalidEvent("control_character", path)
        return text


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its header, and those of its segments that a connector may ask for, in their order."""

    header: Segment
    segments: tuple[Segment, ...] = field(repr=False)

    def first(self, name: str) -> Segment:
        """The first segment of that name; one without fields where there is none."""
        for segment in self.segments:
            if segment.name == name:
                return segment
        return self.empty(name)

    def patients(self) -> list[tuple[Segment, Segment]]:
        """Each PV1 with the PID before it: some messages are about several patients."""
        pid, found = self.empty("PID"), []
        for segment in self.segments:
            if segment.name == "PID":
                pid = segment
            elif segment.name == "PV1":
                found.append((pid, segment))
        return found

    def empty(self, name: str) -> Segment:
        """What stands for a segment that was not sent: all of its fields are empty."""
        return Segment(name, name, self.header.separators)


def split_messages(body: bytes) -> list[list[bytes]]:
    """The lines of each message of a delivery: one message, or the messages of a batch or file.

    Raises: InvalidEvent: too_large, not_hl7, too_many_segments, too_many_messages, too_many_orders.
    """
    if len(body) > MAX_BYTES:
        raise InvalidEvent("too_large")
    # A line end may be two bytes.
    if body.count(b"\r") + body.count(b"\n") > 2 * MAX_SEGMENTS:
        raise InvalidEvent("too_many_segments")
    lines = [line for line in LINE_ENDS.split(unframed(body)) if line]
    if not lines or lines[0][:3] not in (b"MSH", b"FHS", b"BHS"):
        raise InvalidEvent("not_hl7")
    messages: list[list[bytes]] = []
    for line in lines:
        if line.startswith(b"MSH"):
            messages.append([line])
        elif messages and line[:3] not in _ENVELOPE:
            messages[-1].append(line)
    if len(lines) > MAX_SEGMENTS:
        raise InvalidEvent("too_many_segments")
    if len(messages) > MAX_MESSAGES:
        raise InvalidEvent("too_many_messages")
    if sum(line[:3] in _ORDERS for line in lines) > 2 * MAX_ORDERS:
        raise InvalidEvent("too_many_orders")
    return messages


def read_message(lines: list[bytes]) -> Message:
    """The message that `split_messages` found.

    Raises: InvalidEvent: bad_separators at MSH-1 or MSH-2, unsupported_charset at MSH-18.
    """
    head = lines[0].decode("latin-1")  # every byte is a character: separators and MSH-18 are ASCII in all charsets
    separators = read_separators(head)
    codec = codec_of(Segment("MSH", head, separators).raw(18), separators)
    header = Segment("MSH", decode(lines[0], codec), separators)
    kept = (line for line in lines[1:] if line[:3] in _READ and _ends_name(line, separators))
    return Message(header, tuple(Segment(line[:3].decode("ascii"), decode(line, codec), separators) for line in kept))


def unframed(body: bytes) -> bytes:
    """Without a byte order mark, and without what may be left of an MLLP frame."""
    return body.strip(b"\x0b\x1c\r\n\t \x00").removeprefix(_BOM)


def _ends_name(line: bytes, separators: Separators) -> bool:
    return line[3:4] in (b"", separators.field.encode("latin-1"))


def _nth(text: str, separator: str, number: int) -> str:
    if not separator or separator not in text:
        return text if number == 1 else ""
    parts = text.split(separator, _LAST_PART)
    return parts[number - 1] if number <= len(parts) else ""
