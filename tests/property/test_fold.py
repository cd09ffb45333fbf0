"""The laws of the fold: whatever happens to it on the way, what it has said last is what `facts` says."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row, WorkItemRow
from streams.inference.facts import RowKey, facts, row_key
from streams.inference.fold import WorkItemFold
from tests.builders import LONG_AFTER, T0
from tests.property.work_items import any_event, as_ofs, policy_books, work_items

STEP = timedelta(minutes=45)


class Store:
    """Keeps the row with the highest revision of every key, as the tables do."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, Row] = {}

    def take(self, rows: list[Row]) -> None:
        for row in rows:
            held = self.rows.get(row_key(row))
            if held is None or held.revision <= row.revision:
                self.rows[row_key(row)] = row

    def content(self) -> dict[RowKey, Row]:
        live = {key: row for key, row in self.rows.items() if not row.is_deleted}
        return {key: row.model_copy(update={"revision": 0}) for key, row in live.items()}


def kept(fold: WorkItemFold, as_of: datetime) -> tuple[WorkItemRow, bytes]:
    return fold.state_row(b"", as_of), fold.history.encode()


@given(work_items, policy_books, as_ofs, st.data())
def test_splits_restores_and_evictions_change_nothing(
    events: list[Event], book: PolicyBook, as_of: datetime, data: st.DataObject
) -> None:
    store, fold = Store(), WorkItemFold("p", "w1", T0)
    clock, read, crashes = T0, 0, 0
    saved, saved_at = kept(fold, clock), 0
    arrivals = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=3))))
    while read < len(arrivals):
        fold.add(arrivals[read], clock)
        read += 1
        crash = ["crash"] if crashes < 2 else []
        what = data.draw(st.sampled_from(["nothing", "say", "say", "checkpoint", "evict", *crash]))
        if what != "nothing":
            store.take(fold.changes(book, clock))
        if what == "checkpoint":
            saved, saved_at = kept(fold, clock), read
        elif what == "crash":  # after speaking, before the state was kept: events are read again from there
            fold, read = WorkItemFold.restored(*saved), saved_at
            crashes += 1
        elif what == "evict":  # the item left memory, and the next event finds only the archive
            fold = WorkItemFold.restored(WorkItemFold("p", "w1", clock).state_row(b"", clock), b"1")
            for old in arrivals[:read]:
                fold.add(old, clock)
        clock += STEP
    end = max(clock, as_of)
    store.take(fold.changes(book, end))
    assert store.content() == facts(events, book, end).rows


@given(work_items, policy_books)
def test_incremental_is_from_scratch(events: list[Event], book: PolicyBook) -> None:
    store, fold = Store(), WorkItemFold("p", "w1", T0)
    for event in events:
        fold.add(event, T0)
        store.take(fold.changes(book, LONG_AFTER))
    assert store.content() == facts(events, book, LONG_AFTER).rows


@given(work_items, policy_books)
def test_ticking_at_each_deadline_says_what_a_late_look_says(events: list[Event], book: PolicyBook) -> None:
    store, fold = Store(), WorkItemFold("p", "w1", T0)
    for event in events:
        fold.add(event, T0)
    clock: datetime | None = T0
    while clock is not None:
        store.take(fold.changes(book, clock))
        clock = fold.next_deadline_at
    assert store.content() == facts(events, book, LONG_AFTER).rows


@given(work_items, policy_books, as_ofs)
def test_a_second_look_says_nothing(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    fold = WorkItemFold("p", "w1", T0)
    for event in events:
        fold.add(event, T0)
    fold.changes(book, as_of)
    assert fold.changes(book, as_of) == []


@given(st.lists(any_event, min_size=1, max_size=10))
def test_state_survives_encoding(events: list[Event]) -> None:
    fold = WorkItemFold("p", "w1", T0)
    for event in events:
        fold.add(event, T0)
    assert WorkItemFold.restored(*kept(fold, T0)).history.encode() == fold.history.encode()
