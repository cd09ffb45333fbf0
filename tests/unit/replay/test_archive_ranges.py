"""What is left of the archive, whatever cut was done before."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.archive_reader import MOST_BYTES, MOST_CONTENTS, KeyRange, Part, gaps
from streams.inference.history import MAX_BYTES, MAX_EVENTS

_letters = st.sampled_from("abcdefgh")
_cuts = st.sets(_letters, max_size=5).map(sorted)


def ranges(cuts: list[str], process: str = "p") -> list[KeyRange]:
    ends = ["", *cuts, ""]
    return [KeyRange(process, first, last) for first, last in itertools.pairwise(ends)]


def holds(keys: KeyRange, item: str) -> bool:
    return keys.first <= item and (not keys.last or item < keys.last)


@given(_cuts, _cuts, st.data())
def test_every_item_is_done_or_left_and_never_both(new: list[str], old: list[str], data: st.DataObject) -> None:
    done = data.draw(st.lists(st.sampled_from(ranges(old)), unique=True))
    left = gaps([Part(keys, 10) for keys in ranges(new)], done)
    for item in "abcdefghz":
        times = sum(holds(keys, item) for keys in done) + sum(holds(part.keys, item) for part in left)
        assert times == 1


def test_another_process_is_another_matter() -> None:
    parts = [Part(keys, 1) for keys in ranges(["c"])]
    assert gaps(parts, ranges([], "q")) == parts
    assert gaps(parts, ranges([])) == []


def test_more_contents_than_a_work_item_may_have_are_given() -> None:
    assert (MOST_CONTENTS, MOST_BYTES) == (MAX_EVENTS + 1, MAX_BYTES)
