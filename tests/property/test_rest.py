"""A fold that rested is as if it had not: nobody can tell from what it says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from streams.inference.fold import WorkItemFold, outline
from tests.builders import T0
from tests.property.work_items import policy_books, work_items

STEP = timedelta(minutes=45)


def rested(fold: WorkItemFold) -> WorkItemFold:
    resting = fold.rest()
    seen = outline(resting)
    assert seen == (fold.last_arrival_at, fold.next_deadline_at, fold.ending)
    return WorkItemFold.woken(fold.process, fold.subject, resting)


@given(work_items, policy_books, st.data())
def test_a_fold_that_rests_now_and_then_says_what_one_says_that_never_does(
    events: list[Event], book: PolicyBook, data: st.DataObject
) -> None:
    never, now_and_then, clock = WorkItemFold("p", "w1", T0), WorkItemFold("p", "w1", T0), T0
    for one in data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=3)))):
        again = data.draw(st.booleans())
        for fold in (never, now_and_then):
            if again:
                fold.may_have_been_told()
        assert never.add(one, clock) == now_and_then.add(one, clock)
        what = data.draw(st.sampled_from(["nothing", "rest", "say", "say and rest", "say and rest twice", "restore"]))
        if "say" in what:
            assert Counter(never.changes(book, clock)) == Counter(now_and_then.changes(book, clock))
        if what == "restore":
            row, encoded = never.state_row(b"", clock), never.history.encode()
            never, now_and_then = (WorkItemFold.restored(row, encoded) for _ in range(2))
        for _ in range(what.count("rest") - (what == "restore") + what.count("twice")):
            now_and_then = rested(now_and_then)
        clock += STEP
    assert Counter(never.changes(book, clock)) == Counter(now_and_then.changes(book, clock))
    assert never.state_row(b"", clock) == now_and_then.state_row(b"", clock)
    assert never.history.encode() == now_and_then.history.encode()


@given(work_items, st.data())
def test_two_states_united_hold_what_both_held_read_or_not(events: list[Event], data: st.DataObject) -> None:
    halves = [data.draw(st.lists(st.sampled_from(events), unique_by=id)) for _ in range(2)]
    folds = [WorkItemFold("p", "w1", T0) for _ in halves]
    for fold, half in zip(folds, halves, strict=True):
        for one in half:
            fold.add(one, T0)
    states = [(fold.state_row(b"", T0), fold.history.encode()) for fold in folds]
    united = WorkItemFold.restored(*states[0])
    if data.draw(st.booleans()):
        len(united.history.contents().winners)
    united.unite(*states[1])
    together = WorkItemFold("p", "w1", T0)
    for one in (*halves[0], *halves[1]):
        together.add(one, T0)
    assert united.history.encode() == together.history.encode()


def test_a_fold_with_more_rows_than_fit_into_sixteen_bits_rests_too() -> None:
    """10,000 messages to a dozen roles are a legal work item."""
    fold = WorkItemFold("p", "w1", T0)
    fold._said, fold._said_hashes = {}, {number: -number for number in range(70_000)}
    assert WorkItemFold.woken("p", "w1", fold.rest())._said_hashes == fold._said_hashes
