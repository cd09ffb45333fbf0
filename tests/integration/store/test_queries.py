"""Reading helpers and the content hash."""

from __future__ import annotations

from datetime import timedelta

from clickhouse_connect.driver.client import Client

from schemas.dead_letter import DeadLetter
from schemas.events import EVENT_ADAPTER
from schemas.rows import WorkItemRow, revised
from sinks.clickhouse.content_hash import HASHED, content_hash
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.queries.status import dead_letters, newest_event_at, rows_per_table
from sinks.clickhouse.queries.work_items import (
    archived_states,
    due_items,
    item_payloads,
    item_sizes,
    items_ahead_of_state,
    standing_rows,
)
from sinks.clickhouse.records import event_row
from sinks.clickhouse.windows import reaggregate_all
from streams.inference.facts import facts, tombstone
from streams.inference.history import counts_as
from tests.builders import LONG_AFTER, asked, offered, policy_book, raised
from tests.integration.store.rows import START, encoded, evidence, handoff, put, random_evidence, sink_of


def archive(client: Client, *names: str, offset: int = 0, subject: str = "w1", site: str = "") -> list[bytes]:
    events = [
        EVENT_ADAPTER.validate_python(
            {
                "specversion": "1.0",
                "id": name,
                "source": "test",
                "type": "tieline.work_item.opened.v1",
                "time": START + timedelta(minutes=number),
                "process": "ed-to-ward",
                "subject": subject,
                "site": site,
                "data": {},
            }
        )
        for number, name in enumerate(names)
    ]
    rows = [event_row(event, received_at=START, topic="t", partition=offset, offset=offset) for event in events]
    insert_rows(client, "events", rows)
    return [event.canonical() for event in events]


def state(item: str = "w1", **fields: object) -> WorkItemRow:
    given = {"run": "live", "process": "ed-to-ward", "work_item": item, "last_arrival_at": START, "revision": 1}
    return WorkItemRow.model_validate(given | fields)


def test_the_events_of_an_item_come_back_with_every_content_once(client: Client) -> None:
    contents = archive(client, "a", "b") + archive(client, "a", site="north")
    archive(client, "a", "b", offset=7)
    archive(client, "c", subject="w2")
    found = item_payloads(client, [("ed-to-ward", "w1"), ("ed-to-ward", "missing")])
    assert {item: sorted(payloads) for item, payloads in found.items()} == {("ed-to-ward", "w1"): sorted(contents)}


def test_the_size_of_an_item_counts_every_content_once(client: Client) -> None:
    contents = archive(client, "a", "b") + archive(client, "a", site="north")
    archive(client, "a", "b", offset=7)
    (other,) = archive(client, "c", subject="w2")
    found = item_sizes(client, [("ed-to-ward", name) for name in ("w1", "w2", "missing")])
    assert found == {("ed-to-ward", "w1"): (3, sum(map(len, contents))), ("ed-to-ward", "w2"): (1, len(other))}


def test_the_size_of_an_item_counts_what_is_said_once_for_each_role(client: Client) -> None:
    said = [offered(0), asked(1, "m1", "ward", ["nurse", "lab"]), raised(2, "b1", "ward", ["a", "b", "c"])]
    rows = [event_row(event, received_at=START, topic="t", partition=0, offset=0) for event in said]
    insert_rows(client, "events", rows)
    ((counted, _),) = item_sizes(client, [("p", "w1")]).values()
    assert counted == sum(map(counts_as, said)) == 6


def test_what_stands_of_an_item_are_the_keys_of_rows_that_were_not_taken_back(client: Client) -> None:
    events = [offered(0), asked(1, "m1", "ward", ["nurse", "lab"]), raised(2, "b1", "ward", ["nurse"])]
    said = facts(events, policy_book(), LONG_AFTER).rows
    assert {key.table for key in said} == {"handoffs", "exchanges", "problems", "evidence"}
    for key, row in said.items():
        put(client, key.table, [row, row.model_copy(update={"work_item": "another"})])
    assert sorted(standing_rows(client, "live", ("p", "w1"))) == sorted(map(tuple, said))
    for key in said:
        put(client, key.table, [revised(tombstone(key, "live", "p", "w1"), 1)])
    assert standing_rows(client, "live", ("p", "w1")) == []


def test_a_state_comes_back_byte_for_byte(client: Client) -> None:
    kept = state(state=bytes(range(256)), events=3, next_deadline_at=START)
    put(client, "work_items", [state(state=b"old", revision=0), kept, state("w2", evicted=True)])
    found = sorted(archived_states(client), key=lambda row: row.work_item)
    assert found == [kept, state("w2", evicted=True)]


def test_only_evicted_items_with_a_passed_deadline_are_due(client: Client) -> None:
    put(
        client,
        "work_items",
        [
            state("due", evicted=True, next_deadline_at=START),
            state("later", evicted=True, next_deadline_at=START + timedelta(microseconds=1)),
            state("in memory", next_deadline_at=START),
            state("never", evicted=True),
        ],
    )
    assert due_items(client, "live", START) == [("ed-to-ward", "due")]
    assert due_items(client, "other", START) == []


def test_an_item_is_ahead_of_its_state_when_its_archive_holds_more_contents(client: Client) -> None:
    archive(client, "a", "b")
    archive(client, "a", offset=9)
    put(client, "work_items", [state(events=2)])
    assert items_ahead_of_state(client) == []
    archive(client, "b", site="another content")
    archive(client, "a", subject="w2")
    assert items_ahead_of_state(client) == [("ed-to-ward", "w1"), ("ed-to-ward", "w2")]


def test_rows_are_counted_as_readers_see_them(client: Client) -> None:
    assert newest_event_at(client) is None
    archive(client, "a", "b")
    put(client, "handoffs", [handoff(), handoff(revision=2), handoff("w2", is_deleted=1)])
    counts = rows_per_table(client)
    assert (counts["events"], counts["handoffs"], counts["evidence"]) == (2, 1, 0)
    assert newest_event_at(client) == START + timedelta(minutes=1)


def test_a_dead_letter_read_twice_counts_once(client: Client) -> None:
    letter = DeadLetter(id="1", stage="infer", code="schema", payload_sha256="0", payload_bytes=1, at=START)
    put(client, "dead_letters", [letter, letter, letter.model_copy(update={"id": "2"})])
    assert dead_letters(client) == [("infer", "schema", 2, START)]


def test_equal_content_has_an_equal_hash_in_any_order_and_however_often(client: Client) -> None:
    rows = random_evidence(5, rows=200)
    put(client, "evidence", rows)
    put(client, "handoffs", [handoff("w1"), handoff("w2")])
    archive(client, "a", "b")
    first = content_hash(client)
    for table in HASHED:
        client.command(f"TRUNCATE TABLE {table}")
    put(client, "evidence", [row.model_copy(update={"revision": 9}) for row in rows[::-1]])
    put(client, "evidence", [row.model_copy(update={"revision": 9}) for row in rows[:50]])
    put(client, "handoffs", [handoff("w2", state="accepted"), handoff("w3", is_deleted=1, revision=4)])
    put(client, "handoffs", [handoff("w2", revision=2), handoff("w1", revision=7)])
    archive(client, "b", "c", offset=3)
    client.command("TRUNCATE TABLE events")
    archive(client, "a", "b", offset=12)
    assert content_hash(client) == first


def test_another_value_is_another_hash(client: Client) -> None:
    put(client, "evidence", [evidence(value=None)])
    null = content_hash(client)["evidence"]
    put(client, "evidence", [evidence(value=0.0, revision=2)])
    zero = content_hash(client)["evidence"]
    put(client, "evidence", [evidence(value=5e-324, revision=3)])
    assert len({null, zero, content_hash(client)["evidence"]}) == 3


def test_a_hash_is_of_one_run(client: Client) -> None:
    put(client, "handoffs", [handoff()])
    first = content_hash(client)
    put(client, "handoffs", [handoff("w2", run="replay")])
    assert content_hash(client) == first


async def test_windows_have_one_hash_however_they_came_about(client: Client) -> None:
    rows = random_evidence(6, rows=500)
    sink = sink_of(client)
    for start in range(0, 500, 100):
        await sink.writer.add("evidence", encoded(rows[start : start + 100]))
        await sink.writer.flush()
        await sink.windows.refresh()
    first = content_hash(client)["tie_windows"]
    assert first.rows > 20
    client.command("OPTIMIZE TABLE evidence FINAL")
    reaggregate_all(client, "live")
    assert content_hash(client)["tie_windows"] == first
