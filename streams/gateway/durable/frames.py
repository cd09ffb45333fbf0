"""Records on disk: each in a frame with its length and checksum, so that damage is seen and what is around it is read.

```
magic (2)  body length (4)  crc-32 of the body (4)  body: topic (1)  key length (4)  key  value
```
The magic is no UTF-8, which keys and values are: the next frame after a damaged one is found by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from schemas import topics
from schemas.topics import MAX_RECORD_BYTES

MAGIC = b"\xff\xf1"
TOPICS = (topics.EVENTS, topics.DEAD_LETTERS)
"""By the number that stands for them on disk: never reorder, only append."""

_HEAD = Struct(">2sII")
_BODY = Struct(">BI")
OVERHEAD = _HEAD.size + _BODY.size
"""Bytes of a frame beside key and value."""

Pair = tuple[bytes, bytes]
_NUMBERS = {name: number for number, name in enumerate(TOPICS)}


class Entry(NamedTuple):
    """One record and its topic."""

    topic: str
    key: bytes
    value: bytes


class Cut(NamedTuple):
    """What a piece of a file holds.

    Attributes:
        used: bytes that are done with, from the start of the piece.
        torn: bytes of a frame that was never written to its end: nobody was told that it was safe.
        damaged: bytes that were frames once and are not any more.
    """

    entries: list[Entry]
    used: int
    torn: int
    damaged: int


def frames(topic: str, pairs: Iterable[Pair]) -> list[bytes]:
    """The frames of these records, in pieces to be joined. About 1 µs a record."""
    number = _NUMBERS[topic]
    pieces: list[bytes] = []
    for key, value in pairs:
        head = _BODY.pack(number, len(key))
        checksum = crc32(value, crc32(key, crc32(head)))
        pieces += (_HEAD.pack(MAGIC, len(head) + len(key) + len(value), checksum), head, key, value)
    return pieces


def frames_bytes(pairs: Sequence[Pair]) -> int:
    """How long the frames of these records are."""
    return sum(len(key) + len(value) for key, value in pairs) + OVERHEAD * len(pairs)


def cut(piece: bytes, most_bytes: int) -> Cut:
    """The records of a piece that begins with a frame and goes to the end of what was written.

    Args:
        most_bytes: stop after the record that reaches this.
    """
    entries: list[Entry] = []
    position = damaged = 0
    while position < min(len(piece), most_bytes):
        entry, end = _frame_at(piece, position)
        if entry is None:
            end = _next_frame(piece, position + 1)
            if end == len(piece) and _is_torn(piece, position):
                return Cut(entries, end, end - position, damaged)
            damaged += end - position
        else:
            entries.append(entry)
        position = end
    return Cut(entries, position, 0, damaged)


def _frame_at(piece: bytes, position: int) -> tuple[Entry | None, int]:
    """The record whose frame starts here, and where it ends; None if there is none."""
    body = position + _HEAD.size
    if body + _BODY.size > len(piece):
        return None, position
    magic, length, checksum = _HEAD.unpack_from(piece, position)
    end = body + length
    if magic != MAGIC or end > len(piece) or length < _BODY.size:
        return None, position
    if crc32(memoryview(piece)[body:end]) != checksum:
        return None, position
    number, key_bytes = _BODY.unpack_from(piece, body)
    key_at = body + _BODY.size
    if number >= len(TOPICS) or key_at + key_bytes > end:
        return None, position
    return Entry(TOPICS[number], piece[key_at : key_at + key_bytes], piece[key_at + key_bytes : end]), end


def _next_frame(piece: bytes, position: int) -> int:
    """Where the next whole frame starts; the end of the piece if none follows."""
    found = piece.find(MAGIC, position)
    while found >= 0:
        if _frame_at(piece, found)[0] is not None:
            return found
        found = piece.find(MAGIC, found + 1)
    return len(piece)


def _is_torn(piece: bytes, position: int) -> bool:
    """Whether the rest of the piece is what a write leaves that was cut short: the beginning of a frame, or zeros."""
    rest = len(piece) - position
    if piece.count(b"\0", position) == rest:
        return True
    if rest < _HEAD.size:
        return MAGIC.startswith(piece[position : position + len(MAGIC)])
    magic, length, _ = _HEAD.unpack_from(piece, position)
    return bool(magic == MAGIC and rest < _HEAD.size + length <= _HEAD.size + MAX_RECORD_BYTES)
