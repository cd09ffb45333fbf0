"""What a row costs the sink, by batch size: a child process that writes encoded rows through the sink's own store.

CPU is that of the child alone, all its threads, from the first row taken to the last one acknowledged, with looking up
which windows rows leave, and asking for their re-aggregation. Kafka is left out: rows are in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.cost import run_child
from benchmarks.fold_items import items_of
from benchmarks.load import AS_OF, Load, policies
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.system import System, fresh_system
from schemas import topics
from schemas.decoding import decode_with_canonical
from schemas.rows import revised, revision
from sinks.clickhouse.settings import ClickHouseSettings
from sinks.clickhouse.store import ClickHouseStore
from streams.inference.facts import facts_of
from streams.replay.known import known

BATCHES = (1_000, 10_000, 100_000)
TARGET_ROWS_PER_S = 150_000
_EVENTS = "events"


class Row(NamedTuple):
    """A row on its way; an event is still the bytes of its record."""

    table: str
    value: bytes


class Asked(NamedTuple):
    """What a child is to do: `events` with decoding and archiving events, or only the rows of inference."""

    url: str
    user: str
    password: str
    load: str
    batch: int
    rows: int
    events: bool


async def sink_rows(plan: Plan, load: Load) -> list[Figure]:
    """Rows per CPU-second for each batch size, each run in a fresh store; what is stored is counted."""
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="tieline-bench-") as folder:
        path = Path(folder) / "load.tsv"
        load.write(path)
        for batch in BATCHES if plan.runs > 1 else BATCHES[:2]:
            for events in (False, True):
                rates = [await _one(path, batch, events) for _ in plan.repeat(f"sink, batches of {batch:,}")]
                what = "rows and events" if events else "rows"
                target = {} if events else {"at_least": TARGET_ROWS_PER_S}
                figures.append(figure("sink", f"{what} per CPU-second, batches of {batch:,}", "1/s", rates, **target))
    return figures


async def _one(load: Path, batch: int, events: bool) -> float:
    async with fresh_system() as system, system.running("store"):
        store = system.clickhouse
        asked = Asked(_url(system), store.user, store.password.get_secret_value(), str(load), batch, 0, events)
        asked = asked._replace(rows=max(batch, 30_000))
        result = load.with_suffix(".rows.json")
        await run_child("benchmarks.sink_rows", "--asked", json.dumps(asked), "--result", str(result))
        found = json.loads(result.read_text())
        await asyncio.to_thread(_require, system, found["keys"])
    return float(found["rows"] / found["cpu_s"])


def _url(system: System) -> str:
    return f"http://{system.clickhouse.host}:{system.clickhouse.port}"


def _require(system: System, keys: dict[str, int]) -> None:
    client = system.client()
    try:
        found = {table: client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0] for table in keys}
    finally:
        client.close()
    if found != keys:
        raise AssertionError(f"stored {found}, sent {keys}")


def rows_of(load: Path, number: int, events: bool) -> list[Row]:
    """So many rows, as the topics carry them; copies of the load's under other work items, if it has too few."""
    book, as_of = policies(), datetime.fromisoformat(AS_OF)
    rows: list[Row] = []
    for item in items_of(load):
        contents = known(item.payloads)
        order = revision(contents.distinct, as_of)
        if events:
            rows.extend(Row(_EVENTS, payload) for payload in item.payloads)
        found = facts_of(contents.contents, book, as_of).rows.values()
        rows.extend(Row(row.table, revised(row, order).model_dump_json().encode()) for row in found)
    copies = [_copied(row, copy) for copy in range(-(-number // len(rows))) for row in rows]
    return copies[:number]


def _copied(row: Row, copy: int) -> Row:
    name = b'"subject":"' if row.table == _EVENTS else b'"work_item":"'
    return Row(row.table, row.value.replace(name, b"%bc%d-" % (name, copy))) if copy else row


async def write(asked: Asked) -> dict[str, object]:
    """Hand the rows to the store, batch by batch. Returns rows, their number by table, and the CPU-seconds of it."""
    rows = rows_of(Path(asked.load), asked.rows, asked.events)
    store = ClickHouseStore(ClickHouseSettings.from_url(asked.url, user=asked.user, password=asked.password))
    await store.open(_refused)
    try:
        began_s = time.process_time()
        for batch in _batches(rows, asked.batch):
            for table, values in _tables(store, batch).items():
                await store.add(table, values)
            await store.flush()
        cpu_s = time.process_time() - began_s
    finally:
        await store.close()
    keys: dict[str, int] = {}
    for row in rows:
        keys[row.table] = keys.get(row.table, 0) + 1
    return {"rows": len(rows), "cpu_s": cpu_s, "keys": keys}


def _batches(rows: Sequence[Row], size: int) -> Iterable[Sequence[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _tables(store: ClickHouseStore, batch: Sequence[Row]) -> dict[str, list[bytes]]:
    """By table, as the app gathers them: rows as they stand, events decoded and put into rows of the archive."""
    tables: dict[str, list[bytes]] = {}
    now = datetime.now(UTC)
    for row in batch:
        value = row.value
        if row.table == _EVENTS:
            event, payload = decode_with_canonical(value)
            value = store.archive_row(event, payload, now, topics.EVENTS, 0, 0)
        tables.setdefault(row.table, []).append(value)
    return tables


async def _refused(table: str, row: bytes, code: str) -> None:
    raise AssertionError(f"the store refused a row of {table}: {code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asked", required=True, help="as JSON")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    given.result.write_text(json.dumps(asyncio.run(write(Asked(*json.loads(given.asked))))))


if __name__ == "__main__":
    main()
