"""Bytes to text, as MSH-18 says."""

from __future__ import annotations

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2.separators import Separators

DAMAGED = "\ufffd"
"""Stands where bytes were no text. A value that is used and holds it is refused; others do no harm."""

_EITHER = ""
_CODECS = {
    "": _EITHER,
    "ASCII": _EITHER,
    "ISO IR6": _EITHER,
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}


def codec_of(msh18: str, separators: Separators) -> str:
    """The codec of MSH-18's first repetition; empty: nothing, or no more than ASCII, was said.

    A name that is not known is taken for ASCII: what is not ASCII then is damaged, and refused where it is used.

    Raises: InvalidEvent: unsupported_charset at MSH-18, for those whose bytes could be mistaken for separators.
    """
    name = msh18.split(separators.repetition, 1)[0] if separators.repetition else msh18
    name = name.strip().upper()
    if name.startswith(("UNICODE UTF-16", "UNICODE UTF-32", "UTF-16", "UTF-32")):
        raise InvalidEvent("unsupported_charset", "MSH-18")
    return _CODECS.get(name, "ascii")


def decode(line: bytes, codec: str) -> str:
    """One segment as text. Where no charset was named it is UTF-8, or else Latin-1: what senders forget to name."""
    if codec:
        return line.decode(codec, "replace")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
