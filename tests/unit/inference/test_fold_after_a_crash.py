"""A worker that dies may have spoken of events that its successor has yet to read again.

A word about fewer events never replaces a word about more, so the successor has to speak again once it has read them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row
from streams.inference.facts import RowKey, facts, row_key
from streams.inference.fold import WorkItemFold
from tests.builders import LONG_AFTER, T0, assigned, at, offered, worked
from tests.property.work_items import policy_books, work_items
from tests.unit.inference.outcomes import HOUR_FOR_ALL


def kept(*words: list[Row]) -> dict[RowKey, Row]:
    """What stands in a table after these words: of each row the highest revision, unless it is a tombstone."""
    held: dict[RowKey, Row] = {}
    for row in (row for rows in words for row in rows):
        if row_key(row) not in held or held[row_key(row)].revision <= row.revision:
            held[row_key(row)] = row
    return {key: row.model_copy(update={"revision": 0}) for key, row in held.items() if not row.is_deleted}


def predecessor(*events: Event, said: float) -> list[Row]:
    fold = WorkItemFold("p", "w1", T0)
    for each in events:
        fold.add(each, T0)
    return fold.changes(HOUR_FOR_ALL, at(said))


def successor(*flushes: list[Event]) -> list[list[Row]]:
    fold = WorkItemFold("p", "w1", T0)
    words = []
    for events in flushes:
        for each in events:
            fold.may_have_been_told()
            fold.add(each, T0)
        words.append(fold.changes(HOUR_FOR_ALL, LONG_AFTER))
    return words


def test_what_ripened_meanwhile_is_said_again_with_all_events() -> None:
    first, second = offered(0), worked(1, "lab")  # the second changes none of the first's rows
    words = predecessor(first, second, said=2), *successor([first], [second])
    assert kept(*words) == facts([first, second], HOUR_FOR_ALL, LONG_AFTER).rows


def test_what_a_late_event_took_away_is_taken_back_by_who_never_said_it() -> None:
    before, late = [assigned(0, "a"), assigned(10, "b")], assigned(5, "b")
    for flushes in ([[*before, late]], [before, [late]], [before[:1], [before[1], late]]):
        words = predecessor(*before, said=20), *successor(*flushes)
        assert kept(*words) == facts([*before, late], HOUR_FOR_ALL, LONG_AFTER).rows


def test_what_was_pending_and_came_to_nothing_is_taken_back_by_who_never_said_it() -> None:
    before, after = [assigned(0, "a"), assigned(10, "b")], assigned(20, "c")  # b passed it on in time
    words = predecessor(*before, said=15), *successor([*before, after])
    assert kept(*words) == facts([*before, after], HOUR_FOR_ALL, LONG_AFTER).rows


def test_reading_again_what_the_state_knows_says_nothing() -> None:
    fold = WorkItemFold("p", "w1", T0)
    fold.add(offered(0), T0)
    fold.changes(HOUR_FOR_ALL, LONG_AFTER)
    fold.may_have_been_told()
    fold.add(offered(0), T0)
    assert fold.changes(HOUR_FOR_ALL, LONG_AFTER) == []


def spoken(
    events: list[Event], flushes: set[int], clock: datetime, book: PolicyBook, told: int
) -> tuple[list[list[Row]], datetime]:
    """The words of one worker that reads the events from the start and speaks after those in `flushes`."""
    fold, words = WorkItemFold("p", "w1", T0), []
    for number, each in enumerate(events):
        if number < told:
            fold.may_have_been_told()
        fold.add(each, T0)
        clock += timedelta(minutes=45)
        if number in flushes or number == len(events) - 1:
            words.append(fold.changes(book, clock))
    return words, clock


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    work_items,
    policy_books,
    st.sets(st.integers(0, 13)),
    st.sets(st.integers(0, 13)),
    st.integers(1, 14),
    st.booleans(),
)
def test_whoever_reads_again_from_the_start_leaves_what_an_undisturbed_worker_would(
    events: list[Event], book: PolicyBook, first: set[int], second: set[int], read: int, in_order: bool
) -> None:
    if in_order:
        events = sorted(events, key=lambda event: event.order)
    before, clock = spoken(events[:read], first, T0, book, told=0)
    after, clock = spoken(events, second, clock, book, told=min(read, len(events)))
    assert kept(*before, *after) == facts(events, book, clock).rows
