"""The small job on Tieline's own transport: rows acknowledged, then states acknowledged, then the offset committed."""

from __future__ import annotations

import asyncio
import time

from pydantic_core import to_json

from benchmarks.frameworks.contract import COMMIT_EVERY_S, Entry
from benchmarks.frameworks.pairs_job import PAIRS, PairsBatched
from schemas.topics import PARTITIONS
from streams.apps.guard import run_beside
from streams.transport.app import BatchApp, batch_app
from streams.transport.batch import PartitionBatch, TopicPartition
from streams.transport.producer import BatchProducer, Pair
from streams.transport.runner import run_app

STATES = "states"
_GATHER_S = 0.01


class PairsApp:
    """One worker; all partitions share one map, as keys do not repeat over partitions."""

    def __init__(self, entry: Entry, app: BatchApp) -> None:
        self._entry, self._app = entry, app
        self._job = PairsBatched()
        self._producer = BatchProducer(entry.broker)
        self._rows: dict[int, list[Pair]] = {}
        self._changed: dict[int, set[bytes]] = {number: set() for number in range(PARTITIONS)}
        self._reached: dict[TopicPartition, PartitionBatch] = {}
        self._checkpoint_at_s = time.monotonic()

    def register(self) -> None:
        self._app.on_assigned(self._on_assigned)
        self._app.feed(self.handle, self._entry.source, name="bench-pairs")
        run_beside(self._app, self._write_loop)

    async def handle(self, batch: PartitionBatch) -> None:
        self._job.take(batch.records)
        self._changed[batch.partition].update(record.key for record in batch.records if record.key)
        for _, partition, key, value in self._job.outputs():
            self._rows.setdefault(partition, []).append((key, value))
        self._reached[batch.tp] = batch

    async def _write_loop(self) -> None:
        while True:
            await asyncio.sleep(_GATHER_S)
            await self._write()
            if time.monotonic() - self._checkpoint_at_s > COMMIT_EVERY_S:
                await self._checkpoint()
                self._checkpoint_at_s = time.monotonic()

    async def _write(self) -> None:
        rows, self._rows = self._rows, {}
        await self._produce(PAIRS, rows)

    async def _checkpoint(self) -> None:
        """No event is folded between taking rows and taking states: nothing here waits in between."""
        reached, self._reached = self._reached, {}
        rows, self._rows = self._rows, {}
        states = {number: self._taken(number) for number in self._changed}
        await self._produce(PAIRS, rows)
        await self._produce(STATES, states)
        for batch in reached.values():
            self._app.offsets.mark_safe(batch)
        await self._app.commit_safe()

    def _taken(self, number: int) -> list[Pair]:
        changed, self._changed[number] = self._changed[number], set()
        return [(key, to_json(self._job.states[key])) for key in changed]

    async def _produce(self, table: str, places: dict[int, list[Pair]]) -> None:
        topic = self._entry.topic(table)
        await asyncio.gather(*(self._producer.produce(topic, number, pairs) for number, pairs in places.items()))

    async def _on_assigned(self, _tps: frozenset[TopicPartition]) -> None:
        """The topic of states is empty in every run; `infer` reads it here."""
        await self._producer.start()
        self._entry.started()


async def main(entry: Entry) -> int:
    app = batch_app(entry.name, entry.broker)
    PairsApp(entry, app).register()
    return await run_app(app)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(Entry.from_arguments())))
