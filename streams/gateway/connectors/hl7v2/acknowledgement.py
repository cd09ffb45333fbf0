"""What a sender is answered: an ACK in its own separators, with the codes of the mode that it asks for.

| verdict | original mode, application | enhanced mode, commit |
|---|---|---|
| `accepted`: its events are durable, or it is understood and not used | AA | CA |
| `unusable`: its content cannot be used, now or later; a dead letter was written | AE | CE |
| `refused`: not a message for us, or we cannot take it now | AR | CR |

Enhanced mode (MSH-15 or MSH-16 is filled): whoever asks for a commit acknowledgement gets that and nothing after it,
since a commit is given only for what is durable; else whoever asks for an application acknowledgement gets that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2.er7 import LINE_ENDS, unframed
from streams.gateway.connectors.hl7v2.separators import Separators, read_separators

Verdict = Literal["accepted", "unusable", "refused"]

UNAVAILABLE = "unavailable"
"""The error code of what cannot be taken now."""

_LETTERS: dict[Verdict, str] = {"accepted": "A", "unusable": "E", "refused": "R"}
_REFUSED = {
    "bad_separators": "100^Segment sequence error",
    "not_hl7": "100^Segment sequence error",
    "unsupported_type": "200^Unsupported message type",
    "unsupported_processing_id": "202^Unsupported processing id",
    "unsupported_version": "203^Unsupported version id",
    "unsupported_charset": "207^Application internal error",
    "too_large": "207^Application internal error",
    "too_many_messages": "207^Application internal error",
    "too_many_orders": "207^Application internal error",
    "too_many_segments": "207^Application internal error",
    UNAVAILABLE: "207^Application internal error",
}
_UNUSABLE = {"missing_field": "101^Required field missing"}
_OTHERWISE = "102^Data type error"

_LONGEST = 256
_PATH = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,2})", re.ASCII)
_TRIGGER = re.compile(r"[A-Z][A-Z0-9]\d", re.ASCII)
_CODE = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NO_ANSWER_TO = ("ACK", "MCF")


def verdict_of(code: str) -> Verdict:
    """The verdict for an `InvalidEvent` of this code."""
    return "refused" if code in _REFUSED else "unusable"


def acknowledge(
    message: bytes, verdict: Verdict, code: str = "", field: str = "", *, at: datetime, always: bool = False
) -> bytes:
    """The answer to a message (to a batch: to all of it), without MLLP's frame. Empty: the sender wants none.

    Nothing of the message is repeated but its header's own ids; an error is told by code and field, never by value.

    Args:
        code, field: of the `InvalidEvent`, or `unavailable`.
        at: now, aware.
        always: answer whoever wants no answer, too, as HTTP has to. An acknowledgement is never answered.
    """
    header = _read_header(message)
    mode = _mode(header, verdict)
    if header.type in _NO_ANSWER_TO or not (mode or always):
        return b""
    lines = [
        _msh(header, message, at),
        header.joined("MSA", f"{mode or 'A'}{_LETTERS[verdict]}", header.control_id),
    ]
    if code:
        lines.append(_err(header, code, field))
    return "".join(f"{line}\r" for line in lines).encode("latin-1")


@dataclass(frozen=True, slots=True)
class _Header:
    """A header line by its fields, every byte of it a character: what is echoed comes back as the bytes that it was."""

    fields: tuple[str, ...]
    separators: Separators

    def field(self, number: int) -> str:
        """A field of MSH, BHS or FHS without control characters; empty if it is longer than any id should be."""
        text = self.fields[number - 1] if number <= len(self.fields) else ""
        return _CONTROL.sub("", text) if len(text) <= _LONGEST else ""

    def part(self, number: int, component: int) -> str:
        between = self.separators.component
        parts = self.field(number).split(between) if between else [self.field(number)]
        return parts[component - 1] if component <= len(parts) else ""

    @property
    def is_message(self) -> bool:
        """It is no batch's or file's header, whose fields mean something else from 9 on."""
        return self.fields[:1] == ("MSH",)

    @property
    def type(self) -> str:
        return self.part(9, 1) if self.is_message else ""

    @property
    def control_id(self) -> str:
        return self.field(10 if self.is_message else 11)

    def joined(self, *fields: str) -> str:
        """A segment in the sender's separators."""
        return self.separators.field.join(fields)

    def composed(self, *components: str) -> str:
        return (self.separators.component or " ").join(components)


def _read_header(message: bytes) -> _Header:
    line = LINE_ENDS.split(unframed(message[: 64 * _LONGEST]), 1)[0].decode("latin-1")
    if line[:3] not in ("MSH", "BHS", "FHS"):
        return _Header((), Separators())
    try:
        separators = read_separators(line)
    except InvalidEvent:
        return _Header((), Separators())
    return _Header(tuple(line.split(separators.field, 25)), separators)


def _mode(header: _Header, verdict: Verdict) -> Literal["", "A", "C"]:
    if not header.is_message:
        return "A"
    commit, application = header.field(15), header.field(16)
    if not commit and not application:
        return "A"
    if _wanted(commit, verdict):
        return "C"
    return "A" if _wanted(application, verdict) else ""


def _wanted(condition: str, verdict: Verdict) -> bool:
    """By HL7's table 0155; what is not in it is taken for always."""
    if condition in ("", "NE"):
        return False
    return {"ER": verdict != "accepted", "SU": verdict == "accepted"}.get(condition, True)


def _msh(header: _Header, message: bytes, at: datetime) -> str:
    now = at.astimezone(UTC)
    separators = "".join(header.separators[1:])
    trigger = header.part(9, 2) if header.is_message else ""
    kind = header.composed("ACK", trigger, "ACK") if _TRIGGER.fullmatch(trigger) else "ACK"
    own_id = sha256(message + now.isoformat().encode()).hexdigest()[:20].upper()
    processing, version, charset = (header.field(n) if header.is_message else "" for n in (11, 12, 18))
    fields = [
        "MSH",
        separators,
        *(header.field(n) for n in (5, 6, 3, 4)),
        now.strftime("%Y%m%d%H%M%S+0000"),
        "",
        kind,
        own_id,
        processing or "P",
        version or "2.5.1",
    ]
    return header.joined(*fields, *(["", "", "", "", "", charset] if charset else []))


def _err(header: _Header, code: str, field: str) -> str:
    """ERR as of 2.5: where, HL7's code, that it is an error, and our own code."""
    found = _PATH.fullmatch(field)
    place = header.composed(found[1], "1", found[2]) if found else ""
    number, meaning = (_REFUSED.get(code) or _UNUSABLE.get(code) or _OTHERWISE).split("^")
    own = code if _CODE.fullmatch(code) else ""
    return header.joined("ERR", "", place, header.composed(number, meaning, "HL70357"), "E", "", "", own)
