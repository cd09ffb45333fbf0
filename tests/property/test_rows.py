"""Rows are made without being validated: they are what validating would have given, to the byte."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row, revised
from streams.inference.facts import facts, possible_keys, tombstone
from streams.inference.history import contents_of
from tests.builders import LONG_AFTER
from tests.property.work_items import as_ofs, policy_books, work_items


def assert_valid(row: Row) -> None:
    validated = type(row).model_validate(row.__dict__, strict=True, extra="forbid")
    assert row == validated
    assert hash(row) == hash(validated)
    assert list(row.__dict__) == list(type(row).model_fields)
    assert row.model_dump_json() == validated.model_dump_json()
    again = row.model_copy(update={"revision": 7})
    assert again.model_dump_json() == validated.model_copy(update={"revision": 7}).model_dump_json()
    assert row.revision == 0
    other = revised(row, 7)
    assert other == again
    assert type(other) is type(again)
    assert other.model_fields_set == again.model_fields_set
    assert list(other.__dict__) == list(again.__dict__)


@given(work_items, policy_books, as_ofs)
def test_every_row_is_valid(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    for instant in (as_of, LONG_AFTER):
        for row in facts(events, book, instant).rows.values():
            assert_valid(row)


@given(work_items)
def test_every_tombstone_is_valid(events: list[Event]) -> None:
    for key in possible_keys(contents_of(events)):
        assert_valid(tombstone(key, "live", "p", "w1"))
