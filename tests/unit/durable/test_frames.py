"""Records on disk: what was written is read, and what was damaged is known to be."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from streams.gateway.durable.frames import Entry, cut, frames, frames_bytes

WHOLE = 1 << 30
PAIRS = st.lists(st.tuples(st.text(max_size=20).map(str.encode), st.text(max_size=200).map(str.encode)), max_size=12)


def written(pairs: list[tuple[bytes, bytes]], topic: str = topics.EVENTS) -> bytes:
    return b"".join(frames(topic, pairs))


def numbered(count: int) -> list[tuple[bytes, bytes]]:
    return [(b"p/%d" % number, b'{"n":%d}' % number) for number in range(count)]


@given(PAIRS)
def test_what_was_written_is_read(pairs: list[tuple[bytes, bytes]]) -> None:
    content = written(pairs)
    assert len(content) == frames_bytes(pairs)
    found = cut(content, WHOLE)
    assert [(key, value) for _, key, value in found.entries] == pairs
    assert (found.used, found.torn, found.damaged) == (len(content), 0, 0)


def test_a_record_keeps_its_topic() -> None:
    content = written([(b"k", b"v")], topics.DEAD_LETTERS)
    assert cut(content, WHOLE).entries == [Entry(topics.DEAD_LETTERS, b"k", b"v")]


def test_reading_stops_at_the_record_that_reaches_the_limit_and_goes_on_behind_it() -> None:
    content, found, rounds = written(numbered(50)), [], 0
    while content:
        part = cut(content, 100)
        found += part.entries
        content, rounds = content[part.used :], rounds + 1
    assert [(key, value) for _, key, value in found] == numbered(50)
    assert rounds > 5


@given(PAIRS.filter(bool), st.data())
def test_a_write_cut_short_loses_only_what_was_not_whole_and_is_no_damage(
    pairs: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    content = written(pairs)
    kept = data.draw(st.integers(0, len(content) - 1))
    found = cut(content[:kept], WHOLE)
    assert [(key, value) for _, key, value in found.entries] == pairs[: len(found.entries)]
    assert found.damaged == 0
    assert found.used == kept
    assert kept - found.torn == frames_bytes(pairs[: len(found.entries)])


def test_zeros_at_the_end_are_a_write_cut_short() -> None:
    """What a file system leaves of an unsynced write after a power failure."""
    found = cut(written(numbered(3)) + bytes(5000), WHOLE)
    assert (len(found.entries), found.torn, found.damaged) == (3, 5000, 0)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_damage_is_counted_and_all_records_around_it_are_read(seed: int, length: int) -> None:
    dice = random.Random(seed)
    pairs = numbered(40)
    content = bytearray(written(pairs))
    start = dice.randrange(len(content) - length)
    for at in range(start, start + length):
        content[at] ^= dice.randrange(1, 256)
    found = cut(bytes(content), WHOLE)
    ends = [frames_bytes(pairs[: number + 1]) for number in range(len(pairs))]
    begins = [0, *ends[:-1]]
    untouched = [pair for pair, b, e in zip(pairs, begins, ends, strict=True) if e <= start or b >= start + length]
    assert [(key, value) for _, key, value in found.entries] == untouched
    assert found.damaged + found.torn == len(content) - frames_bytes(untouched)


@pytest.mark.parametrize("at", [0, 3, 8], ids=["magic", "length", "checksum"])
def test_a_damaged_head_in_the_middle_is_damage_and_not_a_torn_end(at: int) -> None:
    content = bytearray(written(numbered(3)))
    content[frames_bytes(numbered(1)) + at] ^= 0x7F
    found = cut(bytes(content), WHOLE)
    assert len(found.entries) == 2
    assert found.damaged > 0
    assert found.torn == 0


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    assert cut(content, WHOLE).used == len(content)
