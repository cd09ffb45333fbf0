r"""Escape sequences in values: `\F\`, `\S\`, `\T\`, `\R\`, `\E\`, `\X..\`. Formatting becomes a space."""

from __future__ import annotations

import re

from streams.gateway.connectors.hl7v2.charset import DAMAGED
from streams.gateway.connectors.hl7v2.separators import Separators

_HEX = re.compile(r"X(?:[0-9A-Fa-f]{2})+", re.ASCII)
_MEANINGS = {"F": "field", "S": "component", "T": "subcomponent", "R": "repetition", "E": "escape"}


def unescape(text: str, separators: Separators) -> str:
    """The text without escape sequences; a sequence that never ends is left as it is. Cost: linear."""
    mark = separators.escape
    if not mark or mark not in text:
        return text
    # Every second piece stands between two marks; with an even number of pieces the last mark has no partner.
    pieces = text.split(mark)
    tail = f"{mark}{pieces.pop()}" if len(pieces) % 2 == 0 else ""
    return "".join(_meaning(piece, separators) if i % 2 else piece for i, piece in enumerate(pieces)) + tail


def _meaning(sequence: str, separators: Separators) -> str:
    if sequence in _MEANINGS:
        character: str = getattr(separators, _MEANINGS[sequence])
        return character
    if _HEX.fullmatch(sequence):
        try:
            return bytes.fromhex(sequence[1:]).decode()
        except UnicodeDecodeError:
            return DAMAGED  # bytes of a charset that the sequence does not name
    return " " if sequence.startswith(".") else ""
