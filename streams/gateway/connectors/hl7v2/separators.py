"""Which characters separate what: every message says so itself, in MSH-1 and MSH-2."""

from __future__ import annotations

from typing import NamedTuple

from schemas.errors import InvalidEvent

_USUAL = "^~\\&"


class Separators(NamedTuple):
    """One character each; empty where a message has none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


def read_separators(header: str) -> Separators:
    """From a header line (MSH, BHS, FHS). What MSH-2 leaves out is as usual, unless that means something else already.

    Raises: InvalidEvent: bad_separators at MSH-1 or MSH-2.
    """
    between = header[3:4]
    if not _separates(between):
        raise InvalidEvent("bad_separators", "MSH-1")
    chosen = header[4:].split(between, 1)[0][:6]
    used = [between, *chosen]
    # The fifth (2.7: truncation) is not needed to read a message.
    if not 1 <= len(chosen) <= 5 or len(set(used)) < len(used) or not all(map(_separates, chosen)):
        raise InvalidEvent("bad_separators", "MSH-2")
    parts = [*chosen[:4], *(usual if usual not in used else "" for usual in _USUAL[len(chosen) :])]
    return Separators(between, *parts)


def _separates(character: str) -> bool:
    """Whether values could still be told from it: printable ASCII that is no letter, digit, quote or sign of a time."""
    return "!" <= character <= "~" and not character.isalnum() and character not in '"+-.'
