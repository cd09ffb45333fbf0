"""Rows are written as their models would write them, byte by byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, Row
from streams.inference.facts import facts, possible_keys, tombstone
from streams.inference.history import contents_of
from streams.row_json import row_json, rows_json
from tests.property.work_items import as_ofs, policy_books, work_items

instants = st.datetimes(
    datetime(1970, 1, 1),
    datetime(2261, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))]),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def by_the_model(row: Row) -> bytes:
    return row.model_dump_json().encode()


@given(work_items, policy_books, as_ofs)
def test_rows_of_inference_and_tombstones(events: list[Event], book: PolicyBook, as_of: datetime) -> None:
    rows: list[Row] = [tombstone(key, "live", "p", "w1") for key in possible_keys(contents_of(events))]
    rows.extend(facts(events, book, as_of).rows.values())
    assert [row_json(row) for row in rows] == list(map(by_the_model, rows))
    assert rows_json(rows) == b",".join(map(by_the_model, rows))


@given(texts, texts, instants, numbers, st.integers(0, 2**64 - 1))
def test_any_text_instant_and_number(text: str, other: str, at: datetime, number: float | None, revision: int) -> None:
    row = EvidenceRow(
        run=text,
        process=other,
        work_item=text,
        episode_id=other,
        event_ids=(text, other),
        revision=revision,
        rule=text,
        at=at,
        value=number,
        waited_s=number,
        period_start=at.date(),
    )
    assert row_json(row) == by_the_model(row)
