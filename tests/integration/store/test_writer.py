"""The writer against a real store: nothing lost, nothing dropped, nothing twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from schemas.dead_letter import DeadLetter
from schemas.rows import ExchangeRow, ProblemRow, WorkItemRow
from sinks.clickhouse.records import work_item_state
from sinks.clickhouse.settings import ClickHouseSettings, connect
from sinks.clickhouse.writer import Limits
from tests.integration.store.gate import Gate
from tests.integration.store.rows import START, Sink, encoded, evidence, handoff, sink_of


def rows_in(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])


async def in_trouble(sink: Sink) -> None:
    """Returns once the writer has noticed that the store does not take its rows."""
    async with asyncio.timeout(20):
        while not sink.troubles:  # noqa: ASYNC110 - a list, filled from this loop
            await asyncio.sleep(0.01)


async def test_rows_of_every_table_are_there_after_a_flush(client: Client) -> None:
    sink = sink_of(client)
    common = {"run": "live", "process": "p", "work_item": "w", "episode_id": "s#1"}
    state = WorkItemRow(run="live", process="p", work_item="w", state=b"\x00\xff\xfe", last_arrival_at=START)
    letter = DeadLetter(id="d", stage="sink", code="schema", payload_sha256="0", payload_bytes=1, at=START)
    given = {
        "handoffs": handoff(),
        "exchanges": ExchangeRow(**common, sent_at=START, to_roles=("a", "b")),
        "problems": ProblemRow(**common, raised_at=START),
        "evidence": evidence(),
        "work_items": state,
        "dead_letters": letter,
    }
    for table, row in given.items():
        await sink.writer.add(table, encoded([row]))
    assert await sink.writer.flush() == len(given)
    assert {table: rows_in(client, table) for table in given} == dict.fromkeys(given, 1)
    (stored,) = client.query("SELECT state FROM work_items").result_rows
    assert work_item_state(stored[0]) == state.state
    assert sink.refused == []


async def test_every_field_of_a_row_comes_back_as_it_was(client: Client) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    row = handoff(
        "w \"1\" \\ \t'x' é日",
        accepted_at=at,
        waited_s=0.1 + 0.2,
        worked=True,
        reasons=("missing", "other"),
        revision=2**63 + 5,
        clarifications=3,
    )
    sink = sink_of(client)
    await sink.writer.add("handoffs", encoded([row]))
    await sink.writer.flush()
    names = list(type(row).model_fields)
    (stored,) = client.query(f"SELECT {', '.join(names)} FROM handoffs FINAL").result_rows
    assert type(row).model_validate(dict(zip(names, stored, strict=True))) == row


async def test_writing_again_changes_nothing(client: Client) -> None:
    sink = sink_of(client)
    for _ in range(3):
        await sink.writer.add("handoffs", encoded([handoff("w1"), handoff("w2")]))
        await sink.writer.flush()
    assert rows_in(client, "handoffs") == 2


async def test_a_smaller_revision_never_wins(client: Client) -> None:
    sink = sink_of(client)
    await sink.writer.add("handoffs", encoded([handoff(state="accepted", revision=2), handoff(revision=1)]))
    await sink.writer.flush()
    await sink.writer.add("handoffs", encoded([handoff(revision=1)]))
    await sink.writer.flush()
    assert client.query("SELECT state FROM handoffs FINAL").result_rows == [("accepted",)]


BAD = [
    (b'{"run": "live", "surprise": 1}', "incorrect_data"),
    (b'{"run": "live", "offered_at": "soon"}', None),
    (b'{"run": "live", "worked": null}', None),
    (b'{"run": "live", "revision": "x"}', None),
    (b"not json", None),
    (b'{"run": "live"', None),
    (b"{}", "violated_constraint"),
    (b"[]", "not_an_object"),
    (b"", "not_an_object"),
]


@pytest.mark.parametrize(("bad", "code"), BAD)
async def test_a_refused_row_is_handed_on_and_the_rest_is_written(client: Client, bad: bytes, code: str | None) -> None:
    sink = sink_of(client)
    good = encoded([handoff(f"w{number}") for number in range(20)])
    await sink.writer.add("handoffs", [*good[:7], bad, *good[7:]])
    await asyncio.wait_for(sink.writer.flush(), 30)
    assert [(table, row) for table, row, _ in sink.refused] == [("handoffs", bad)]
    assert code in (None, sink.refused[0][2])
    assert rows_in(client, "handoffs") == 20


async def test_a_refused_evidence_row_does_not_stop_the_windows(client: Client) -> None:
    sink = sink_of(client)
    await sink.writer.add("evidence", [*encoded([evidence()]), b"{}x", b"[]"])
    await sink.writer.flush()
    assert await sink.windows.refresh() == 1
    assert len(sink.refused) == 2


async def test_a_missing_table_is_waited_for_not_dropped(client: Client) -> None:
    sink = sink_of(client)
    client.command("RENAME TABLE handoffs TO elsewhere")
    await sink.writer.add("handoffs", encoded([handoff()]))
    flushing = asyncio.create_task(sink.writer.flush())
    await in_trouble(sink)
    assert not flushing.done()
    client.command("RENAME TABLE elsewhere TO handoffs")
    await asyncio.wait_for(flushing, 20)
    assert rows_in(client, "handoffs") == 1
    assert sink.refused == []
    assert sink.troubles[-1] is None


async def test_an_absent_store_holds_the_caller_back_and_a_cancelled_flush_keeps_its_rows(
    client: Client, store: ClickHouseSettings
) -> None:
    async with Gate(store.host, store.port) as gate:
        behind = store.model_copy(update={"host": "127.0.0.1", "port": gate.port, "database": client.database})
        sink = sink_of(await asyncio.to_thread(connect, behind), Limits(max_rows=2))
        gate.shut()
        await sink.writer.add("handoffs", encoded([handoff("w1"), handoff("w2")]))
        adding = asyncio.create_task(sink.writer.add("handoffs", encoded([handoff("w3")])))
        await in_trouble(sink)
        assert not adding.done()
        adding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adding
        assert sink.writer.unwritten[0] == 2
        await gate.open()
        await sink.writer.add("handoffs", encoded([handoff("w3")]))
        await sink.writer.flush()
    assert rows_in(client, "handoffs") == 3


async def test_a_connection_that_breaks_again_and_again_loses_nothing(
    client: Client, store: ClickHouseSettings
) -> None:
    async with Gate(store.host, store.port) as gate:
        behind = store.model_copy(update={"host": "127.0.0.1", "port": gate.port, "database": client.database})
        sink = sink_of(await asyncio.to_thread(connect, behind))
        for number in range(8):
            await sink.writer.add("evidence", encoded([evidence(f"w{number}-{part}") for part in range(50)]))
            flushing = asyncio.create_task(sink.writer.flush())
            await asyncio.sleep(0.004 * number)
            gate.shut()
            await gate.open()
            await asyncio.wait_for(flushing, 30)
            await sink.windows.refresh()
    assert rows_in(client, "evidence") == 400
    assert client.query("SELECT n FROM tie_windows FINAL").result_rows == [(400,)]


async def test_concurrent_tasks_lose_nothing_in_a_small_buffer(client: Client) -> None:
    sink = sink_of(client, Limits(max_rows=50))

    async def feed(task: int) -> None:
        for number in range(10):
            await sink.writer.add("handoffs", encoded([handoff(f"{task}-{number}-{part}") for part in range(7)]))

    await asyncio.gather(*(feed(task) for task in range(5)))
    await sink.writer.flush()
    assert rows_in(client, "handoffs") == 350


async def test_a_large_flush_goes_compressed_and_in_parts(client: Client) -> None:
    sink = sink_of(client, Limits(rows_per_insert=2000))
    await sink.writer.add("handoffs", encoded([handoff(f"w{number}") for number in range(5000)]))
    await sink.writer.flush()
    assert rows_in(client, "handoffs") == 5000
