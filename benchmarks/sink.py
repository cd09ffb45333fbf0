"""(c) The `sink` app: everything that one load and its inference put on Kafka, into the embedded store."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from benchmarks.answer import Answer
from benchmarks.cost import Cost, cost_figures
from benchmarks.infer import infer_app
from benchmarks.load import Load, expected_of, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.sink_rows import sink_rows
from benchmarks.system import System, committed_past, filled_broker
from benchmarks.usage import usage
from deploy.composition.drain import DERIVED, SINK_GROUP, barriers
from schemas import topics
from streams.transport.producer import BatchProducer


class Stored(NamedTuple):
    """What sink and store used, and how many records the sink read."""

    sink: Cost
    store: Cost
    records: int


async def sink(plan: Plan) -> list[Figure]:
    """the sink app and its store, from everything on Kafka to everything committed; what a row costs by batch size"""
    load = simulated(plan.weeks)
    expected = expected_of(load)
    runs = [await _one(load, expected) for _ in plan.repeat("sink")]
    return [
        *cost_figures("sink", load, [run.sink for run in runs]),
        figure("sink", "records per CPU-second", "1/s", [run.records / run.sink.cpu_s for run in runs]),
        *cost_figures("store of the sink", load, [run.store for run in runs]),
        *await sink_rows(plan, load),
    ]


async def _one(load: Load, expected: Answer) -> Stored:
    async with filled_broker(load) as system:
        await infer_app(system, load, expected)
        async with BatchProducer(system.broker) as producer:
            ends = await barriers(producer, [topics.EVENTS, *DERIVED])
        async with system.running("store", "sink") as children:
            pids = [children["sink"].pid, children["store"].pid]
            began = [usage(pid) for pid in pids]
            await committed_past(system, SINK_GROUP, ends, ["sink", "store"])
            ended = [usage(pid) for pid in pids]
            await asyncio.to_thread(_require_rows, system, load, expected)
        sink, store = (Cost(b.cpu_s - a.cpu_s, b.peak_mib) for a, b in zip(began, ended, strict=True))
    return Stored(sink, store, sum(ends.values()))


def _require_rows(system: System, load: Load, expected: Answer) -> None:
    """Raises: AssertionError: the store holds another number of rows."""
    client = system.client()
    try:
        found = {table: _count(client, table) for table in expected.rows}
        archived = _count(client, "events")
    finally:
        client.close()
    if found != expected.rows or archived != len(load):
        raise AssertionError(f"stored {found} and {archived} events, expected {expected.rows} and {len(load)}")


def _count(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])
