"""The offset rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvariantError
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.offsets import Mark, Offsets

TP = TopicPartition("topic", 0)


def a_batch(offsets: Offsets, first: int, last: int) -> PartitionBatch:
    """A batch of TP, fetched under its current assignment."""
    records = tuple(Record(None, b"v", offset, 0, (), 0) for offset in range(first, last + 1))
    return PartitionBatch(TP.topic, TP.partition, records, last + 1, offsets.assignment_of(TP) or 0)


def holding(position: int = 0) -> Offsets:
    offsets = Offsets()
    offsets.assign([TP])
    offsets.start_at(TP, position)
    return offsets


def test_nothing_is_uncommitted_before_a_mark() -> None:
    offsets = holding(5)
    offsets.delivered(a_batch(offsets, 5, 9))
    assert offsets.uncommitted() == {}
    assert offsets.committed(TP) == 5


def test_only_an_acknowledgement_moves_what_is_believed_committed() -> None:
    offsets = holding()
    batch = a_batch(offsets, 0, 9)
    offsets.delivered(batch)
    assert offsets.mark_safe(batch)
    assert offsets.committed(TP) == 0
    marks = offsets.uncommitted()
    assert marks == {TP: Mark(10, batch.assignment)}
    offsets.acknowledged(marks)
    assert offsets.committed(TP) == 10
    assert offsets.uncommitted() == {}


def test_a_batch_dropped_on_its_way_to_the_handler_is_noticed() -> None:
    offsets = holding()
    first, second, third = a_batch(offsets, 0, 4), a_batch(offsets, 5, 9), a_batch(offsets, 10, 14)
    for batch in (first, second, third):
        offsets.delivered(batch)
    offsets.taken_up(first)
    with pytest.raises(InvariantError, match="ends at 10 never came"):
        offsets.taken_up(third)


def test_a_new_assignment_waits_for_nothing_of_the_one_before() -> None:
    offsets = holding()
    stale = a_batch(offsets, 0, 4)
    offsets.delivered(stale)
    offsets.assign([TP])
    offsets.start_at(TP, 0)
    offsets.taken_up(stale)
    fresh = a_batch(offsets, 0, 2)
    offsets.delivered(fresh)
    offsets.taken_up(fresh)


def test_mark_of_an_earlier_assignment_is_void() -> None:
    offsets = holding()
    batch = a_batch(offsets, 0, 9)
    offsets.delivered(batch)
    offsets.revoke([TP])
    assert not offsets.mark_safe(batch)
    offsets.assign([TP])
    offsets.start_at(TP, 0)
    assert not offsets.mark_safe(batch)
    assert not offsets.is_current(batch)
    assert offsets.uncommitted() == {}


def test_acknowledgement_of_an_earlier_assignment_is_void() -> None:
    offsets = holding()
    batch = a_batch(offsets, 0, 9)
    offsets.delivered(batch)
    offsets.mark_safe(batch)
    marks = offsets.uncommitted()
    offsets.assign([TP])
    offsets.start_at(TP, 0)
    offsets.acknowledged(marks)
    assert offsets.committed(TP) == 0


def test_marking_what_was_never_delivered_is_a_bug() -> None:
    offsets = holding()
    with pytest.raises(InvariantError):
        offsets.mark_safe(a_batch(offsets, 0, 9))


def test_marking_before_the_partition_is_restored_is_a_bug() -> None:
    offsets = Offsets()
    offsets.assign([TP])
    with pytest.raises(InvariantError):
        offsets.mark_safe(a_batch(offsets, 0, 9))


def test_starting_a_partition_that_is_not_held_is_a_bug() -> None:
    with pytest.raises(InvariantError):
        Offsets().start_at(TP, 0)


def test_partitions_know_nothing_of_each_other() -> None:
    offsets, other = holding(), TopicPartition("topic", 1)
    offsets.assign([other])
    offsets.start_at(other, 7)
    offsets.revoke([TP])
    assert offsets.assigned() == {other}
    assert offsets.delivered_up_to(other) == 7
    assert offsets.delivered_up_to(TP) is None


@given(st.lists(st.sampled_from(["deliver", "mark", "mark_old", "commit", "reassign", "revoke"])))
def test_committed_never_passes_safe_nor_safe_what_was_delivered(steps: list[str]) -> None:
    offsets = holding()
    delivered: list[PartitionBatch] = []
    safe = 0
    for step in steps:
        if step == "deliver" and offsets.assigned():
            at = offsets.delivered_up_to(TP) or 0
            delivered.append(a_batch(offsets, at, at + 2))
            offsets.delivered(delivered[-1])
        elif step in ("mark", "mark_old") and delivered:
            batch = delivered[-1 if step == "mark" else 0]
            if offsets.mark_safe(batch):
                assert offsets.is_current(batch)
                safe = max(safe, batch.next_offset)
        elif step == "commit":
            offsets.acknowledged(offsets.uncommitted())
        elif step == "reassign":
            position = offsets.committed(TP) or 0
            offsets.assign([TP])
            offsets.start_at(TP, position)
            safe = position
        elif step == "revoke":
            offsets.revoke([TP])
        committed = offsets.committed(TP)
        assert committed is None or committed <= safe
