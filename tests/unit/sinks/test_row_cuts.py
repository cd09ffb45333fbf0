"""What the sink cuts out of encoded rows is what a JSON parser reads in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from schemas.decoding import decode
from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import Row
from sinks.clickhouse import names, windows
from sinks.clickhouse.names import SOURCES, names_of
from sinks.clickhouse.records import event_row
from streams.inference.facts import facts, possible_keys, tombstone
from streams.inference.history import contents_of
from tests.builders import LONG_AFTER
from tests.property.work_items import as_ofs, policy_books, work_items

HOSTILE = ['"', "\\", '","part":', ',"work_item":"x', "\u00e9", "a/b", '\\"', "}{"]
CALM = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RECEIVED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows_of(events: list[Event], book: PolicyBook, as_of: datetime) -> Iterator[Row]:
    yield from facts(events, book, as_of).rows.values()
    yield from facts(events, book, LONG_AFTER).rows.values()
    yield from (tombstone(key, "live", "p", "w1") for key in possible_keys(contents_of(events)))


def encoded(row: Row, text: str) -> Iterator[bytes]:
    """A row as it travels, with another text in some fields, in another order, with spaces, and with another zone."""
    changed = row.model_copy(update={"work_item": f"w{text}", "episode_id": text, "site": text})
    fields = json.loads(changed.model_dump_json())
    yield changed.model_dump_json().encode()
    yield to_json(dict(reversed(fields.items())))
    yield json.dumps(fields).encode()
    at = "at" if "at" in fields else names._AT[row.table]
    yield to_json(fields | {at: "2026-03-01T00:30:00+02:00"})


@CALM
@given(work_items, policy_books, as_ofs, st.sampled_from(HOSTILE))
def test_windows_and_keys_are_those_in_the_row(
    events: list[Event], book: PolicyBook, as_of: datetime, text: str
) -> None:
    evidence = [row for row in rows_of(events, book, as_of) if row.table == "evidence"]
    lines = [line for row in evidence for line in encoded(row, text)]
    expected: dict[bytes, frozenset[windows.Window]] = {}
    for line in lines:
        key, found = windows._place(line)
        expected[key] = expected.get(key, frozenset()) | found
    assert windows._entered(lines) == expected


@CALM
@given(work_items, policy_books, as_ofs, st.sampled_from(HOSTILE))
def test_names_are_those_in_the_row(events: list[Event], book: PolicyBook, as_of: datetime, text: str) -> None:
    rows = [row for row in rows_of(events, book, as_of) if row.table in SOURCES]
    for table in SOURCES:
        lines = [line for row in rows if row.table == table for line in encoded(row, text)]
        expected = [name for line in lines for name in _parsed(table, line)]
        assert set(names_of(table, lines)) == set(expected)


@CALM
@given(work_items, policy_books, as_ofs)
def test_rows_as_inference_writes_them_are_cut_and_not_parsed(
    events: list[Event], book: PolicyBook, as_of: datetime
) -> None:
    cuts = {**names._CUTS, "evidence": windows._CUTS}
    for row in rows_of(events, book, as_of):
        assert cuts[row.table].search(row.model_dump_json().encode()), row.table


def _parsed(table: str, line: bytes) -> list[names.TieName]:
    row = json.loads(line)
    return [] if row["is_deleted"] else list(names._named(table, row))


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"null", b'{"run":"live"', b"\xff"])
def test_what_is_no_row_is_left_to_the_store(line: bytes) -> None:
    assert not windows._entered([line])
    assert not any(list(names_of(table, [line])) for table in SOURCES)


@CALM
@given(work_items, st.sampled_from(HOSTILE))
def test_archive_row_says_what_the_event_says(events: list[Event], text: str) -> None:
    for event in events:
        named = event.model_copy(update={"subject": text, "id": text})
        payload = named.canonical()
        line = event_row(named, received_at=RECEIVED_AT, topic="tieline.events", partition=3, offset=7, payload=payload)
        row = json.loads(line)
        assert decode(row["payload"].encode()) == named
        assert [row["subject"], row["id"], row["source"], row["type"]] == [text, text, named.source, named.type]
        assert datetime.fromisoformat(row["time"]) == named.time
        assert (row["topic"], row["partition"], row["offset"]) == ("tieline.events", 3, 7)
        assert line == event_row(named, received_at=RECEIVED_AT, topic="tieline.events", partition=3, offset=7)
        assert line == to_json(row | {"time": named.time, "received_at": RECEIVED_AT})
