"""Rows that are not as their events say."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.events import Event
from schemas.rows import HandoffRow, Row
from streams.inference.facts import facts
from streams.replay.compare import Difference, by_key, differences
from tests.builders import LONG_AFTER, act, at, offered, policy_book

EVENTS = offered(0), act("accepted", 5, "ward")


def rows(events: Iterable[Event] = EVENTS, after_min: float | None = None) -> list[Row]:
    as_of = LONG_AFTER if after_min is None else at(after_min)
    return list(facts(events, policy_book(), as_of).rows.values())


def compared(stored: Iterable[Row], before: Iterable[Row], after: Iterable[Row]) -> list[Difference]:
    return list(differences(by_key(stored), by_key(before), by_key(after)))


def test_equal_rows_do_not_differ() -> None:
    assert compared(rows(), rows(), rows()) == []


def test_a_row_that_is_not_there_is_missing() -> None:
    (found,) = compared(rows()[1:], rows(), rows())
    assert (found.kind, found.table, found.work_item, found.columns) == ("missing", "handoffs", "w1", ())


def test_a_row_that_nothing_says_is_extra() -> None:
    (found,) = compared(rows(), rows()[1:], rows()[1:])
    assert (found.kind, found.table) == ("extra", "handoffs")


def test_a_row_that_says_something_else_is_told_by_column() -> None:
    first, *others = rows()
    assert isinstance(first, HandoffRow)
    wrong = first.model_copy(update={"bounced": True, "reasons": ("missing",)})
    (found,) = compared([wrong, *others], rows(), rows())
    assert (found.kind, set(found.columns)) == ("different", {"bounced", "reasons"})


def test_a_row_may_be_as_at_either_end() -> None:
    before, after = rows(EVENTS[:1], 59), rows(EVENTS[:1], 61)
    assert before != after
    assert compared(before, before, after) == compared(after, before, after) == []
    assert compared(rows(), before, after) != []
