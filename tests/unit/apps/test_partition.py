"""What a partition keeps in memory: changes are said once, states kept, settled items leave, late events are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.rows import Row
from schemas.topics import event_key
from streams.apps.infer.partition import Alarms, Partition
from streams.apps.state import decode_state
from streams.inference import history
from tests.builders import LONG_AFTER, T0, assigned, at, event, policy_book, worked

LINGER = timedelta(days=7)


def closed_item() -> list[Event]:
    return [assigned(0, "a"), assigned(10, "b"), worked(20, "b"), event("work_item.closed", 30)]


def folded(*events: Event, arrived_at: datetime = T0) -> Partition:
    partition = Partition(0, policy_book())
    for one in events:
        partition.fold(one, arrived_at)
    return partition


def said(partition: Partition, as_of: datetime = LONG_AFTER) -> list[Row]:
    return [row for _, rows in partition.take_changes(as_of) for row in rows]


def restarted(partition: Partition, as_of: datetime) -> Partition:
    """Another worker's partition, restored from what this one keeps."""
    after = Partition(0, policy_book())
    for _, value in partition.take_states(as_of):
        after.restore(decode_state(value))
    after.start()
    return after


def test_changes_are_said_once() -> None:
    partition = folded(*closed_item())
    assert {row.table for row in said(partition)} == {"handoffs", "evidence"}
    assert said(partition) == []


def test_a_known_event_changes_nothing_and_is_not_saved_again() -> None:
    partition = folded(*closed_item())
    said(partition)
    partition.take_states(LONG_AFTER)
    partition.fold(assigned(10, "b"), T0)
    assert not partition.unsaid()
    assert not partition.has_unsaved()


def test_a_deadline_that_passes_changes_the_item_by_itself() -> None:
    partition = folded(assigned(0, "a"), assigned(10, "b"))
    assert not any(getattr(row, "ripe", False) for row in said(partition, at(11)))
    partition.tick(at(60))
    assert not partition.unsaid(), "an hour after the offer is at minute 70"
    partition.tick(at(70))
    ripe = [row for row in said(partition, at(70)) if getattr(row, "ripe", False)]
    assert [getattr(row, "value", None) for row in ripe] == [0.0]


def test_a_restored_partition_goes_on_where_the_other_was() -> None:
    before = folded(assigned(0, "a"), assigned(10, "b"))
    said(before, at(11))
    after = restarted(before, at(11))
    after.fold(worked(20, "b"), T0)
    states = {getattr(row, "state", "") for row in said(after)}
    assert "accepted" in states


def test_a_restored_partition_watches_deadlines() -> None:
    before = folded(assigned(0, "a"), assigned(10, "b"))
    said(before, at(11))
    after = restarted(before, at(11))
    after.tick(at(70))
    assert after.unsaid() == 1


def test_restored_items_are_said_again_where_the_broker_forgets() -> None:
    before = folded(*closed_item())
    rows = {(row.table, row.episode_id, row.event_ids) for row in said(before)}
    states = [decode_state(value) for _, value in before.take_states(LONG_AFTER)]
    after = Partition(0, policy_book())
    for state in states:
        after.restore(state)
    after.start(T0, say_again=True)
    again = {(row.table, row.episode_id, row.event_ids) for row in said(after) if not row.is_deleted}
    assert again == rows


def test_what_a_dead_worker_may_have_told_is_told_again_with_every_event() -> None:
    """Its last words stand with the revision of more events than we have read again so far."""
    partition = Partition(0, policy_book())
    partition.start(began_at=LONG_AFTER)
    seen: list[Row] = []
    for one in closed_item():
        partition.fold(one, T0)
        seen = said(partition)
    assert {row.table for row in seen if not row.is_deleted} == {"handoffs", "evidence"}, "closing changed no evidence"


def test_what_lay_in_the_log_may_have_been_told_whatever_the_clock_shows() -> None:
    """A worker whose clock is behind takes over: by that clock, everything arrives only later."""
    partition = Partition(0, policy_book())
    partition.start(began_at=T0 - timedelta(days=1), end_offset=len(closed_item()))
    seen: list[Row] = []
    for offset, one in enumerate(closed_item()):
        partition.fold(one, T0, offset)
        seen = said(partition)
    assert {row.table for row in seen if not row.is_deleted} == {"handoffs", "evidence"}


def test_a_restored_item_says_everything_until_it_has_said_it_with_what_nobody_else_read() -> None:
    """Otherwise each event of a large item would say all of its rows again."""
    before = folded(*(assigned(minute, "ab"[minute % 2]) for minute in range(20)))
    said(before)
    after = restarted(before, LONG_AFTER)
    after.fold(assigned(20, "a"), LONG_AFTER)
    assert len(said(after)) > 20
    after.fold(assigned(21, "b"), LONG_AFTER)
    assert 0 < len(said(after)) < 10


def test_an_older_state_read_later_takes_nothing_back() -> None:
    older = folded(assigned(0, "a"))
    said(older)
    newer = folded(assigned(0, "a"), assigned(10, "b"))
    said(newer)
    partition = Partition(0, policy_book())
    for value in (newer.take_states(LONG_AFTER)[0][1], older.take_states(LONG_AFTER)[0][1]):
        partition.restore(decode_state(value))
    assert len(partition.folds[event_key(assigned(0, "a"))].history) == 2


def test_a_closed_settled_and_quiet_item_leaves_and_a_stub_stays() -> None:
    key = event_key(assigned(0, "a"))
    partition = folded(*closed_item(), arrived_at=LONG_AFTER)
    said(partition)
    partition.take_states(LONG_AFTER)
    partition.tick(LONG_AFTER + LINGER - timedelta(seconds=1))
    assert not partition.has_unsaved()
    partition.tick(LONG_AFTER + LINGER)
    ((_, value),) = partition.take_states(LONG_AFTER + LINGER)
    assert decode_state(value).evicted
    assert not partition.is_stub(key), "only once the stub's record is acknowledged"
    partition.states_kept()
    assert partition.is_stub(key)
    assert not partition.folds


def test_an_arrival_while_an_item_leaves_keeps_it() -> None:
    key = event_key(assigned(0, "a"))
    partition = folded(*closed_item(), arrived_at=T0)
    said(partition)
    partition.take_states(LONG_AFTER)
    partition.tick(LONG_AFTER)
    partition.take_states(LONG_AFTER)
    partition.fold(event("work_item.reopened", 40), LONG_AFTER)
    partition.states_kept()
    assert not partition.is_stub(key)
    assert len(partition.folds[key].history) == 5


def test_an_open_item_never_leaves() -> None:
    partition = folded(assigned(0, "a"), assigned(10, "b"), arrived_at=T0)
    said(partition)
    partition.take_states(LONG_AFTER)
    partition.tick(LONG_AFTER + timedelta(days=5_000))
    assert not any(decode_state(value).evicted for _, value in partition.take_states(LONG_AFTER))


def test_an_oversize_item_loses_its_rows_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_EVENTS", 3)
    partition = folded(*closed_item()[:3])
    before = said(partition)
    assert before
    with pytest.raises(InvalidEvent, match="oversize"):
        partition.fold(closed_item()[3], T0)
    gone = said(partition)
    assert {row.is_deleted for row in gone} == {1}
    assert len(gone) == len(before)
    assert all(one.revision > max(row.revision for row in before) for one in gone)
    ((_, value),) = partition.take_states(LONG_AFTER)
    assert decode_state(value).oversize
    after = restarted(folded(), LONG_AFTER)
    after.restore(decode_state(value))
    with pytest.raises(InvalidEvent, match="oversize"):
        after.fold(assigned(50, "a"), T0)


def test_events_without_episodes_are_not_folded() -> None:
    survey = event(
        "survey.scored", 0, rater_role="a", rated_role="b", dimension="accuracy", mean=4.0, n=12, subject="s1"
    )
    partition = folded(survey)
    assert not partition.folds


def test_an_alarm_set_anew_replaces_the_old_one() -> None:
    alarms = Alarms()
    alarms.set(b"k", datetime(2026, 1, 2, tzinfo=UTC))
    alarms.set(b"k", datetime(2026, 1, 3, tzinfo=UTC))
    assert alarms.passed(datetime(2026, 1, 2, tzinfo=UTC)) == []
    assert alarms.passed(datetime(2026, 1, 3, tzinfo=UTC)) == [b"k"]
    assert alarms.passed(datetime(2026, 1, 9, tzinfo=UTC)) == []


def test_alarms_that_are_set_again_and_again_do_not_pile_up() -> None:
    alarms = Alarms()
    for number in range(20_000):
        alarms.set(b"busy", T0 + timedelta(seconds=number))
    alarms.set(b"gone", T0)
    alarms.drop(b"gone")
    assert len(alarms._heap) < 2_000
    assert alarms.passed(T0 + timedelta(days=1)) == [b"busy"]
    assert alarms.passed(T0 + timedelta(days=1)) == []
