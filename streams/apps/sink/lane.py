"""Rows on their way to the store, and up to where their being there makes partitions safe.

The sink has two lanes into one store: what somebody waits for is written at once, the rest together, less often. A lane
may have several flushes under way: one waits for windows while the next one writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from schemas.topics import MEASURES
from streams.apps.meter import Meter
from streams.apps.sink.store import Store
from streams.transport.batch import PartitionBatch, TopicPartition
from streams.transport.offsets import Offsets

Safe = dict[TopicPartition, tuple[int, int, int]]
"""Partition to (next offset, assignment, Kafka timestamp of the newest record in ms)."""


class Lane:
    """For one event loop.

    Args:
        gather_s: how long a flush waits for more rows; most of a batch arrives together.
        every_s: flushes begin at most so often.
        rows: more than this is not kept; whoever adds then waits for a flush.
        at_once: flushes under way at the same time.
        before: a lane whose rows must not be overtaken by this one's.
        meter: is told of every flush, but for those of measures alone: they would measure themselves.
    """

    def __init__(
        self,
        store: Store,
        offsets: Offsets,
        *,
        gather_s: float,
        every_s: float = 0.0,
        rows: int = 20_000,
        most_bytes: int = 64 * 1024 * 1024,
        at_once: int = 1,
        before: Lane | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._store, self._offsets, self._before = store, offsets, before
        self._gather_s, self._every_s, self._limit, self._most_bytes = gather_s, every_s, rows, most_bytes
        self._meter = meter
        self._rows: dict[str, list[bytes]] = {}
        self._count = self._size = 0
        self._noted: Safe = {}
        self._handed_over: Safe = {}
        self._something = asyncio.Event()
        self._handing_over = asyncio.Lock()
        self._turn = asyncio.Semaphore(at_once)
        self._flushes: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is being written."""
        return not self._something.is_set() and not self._flushes

    @property
    def waiting(self) -> int:
        """Rows that the store's buffer has not got yet."""
        return self._count

    async def add(self, table: str, rows: Sequence[bytes], batch: PartitionBatch) -> None:
        """Take in all rows of a batch; waits while there are too many."""
        size = sum(map(len, rows))
        while self._count and (self._count + len(rows) > self._limit or self._size + size > self._most_bytes):
            await self.flush()
        self._rows.setdefault(table, []).extend(rows)
        self._count += len(rows)
        self._size += size
        self.note(batch)

    def note(self, batch: PartitionBatch) -> None:
        """All that came of a batch is in this lane or in the store's own buffer."""
        self._noted[batch.tp] = (batch.next_offset, batch.assignment, batch.records[-1].timestamp_ms)
        self._something.set()

    async def run(self) -> None:
        """Flush whenever there is something, until cancelled. Raises: what the store raises."""
        loop = asyncio.get_running_loop()
        began_s = loop.time() - self._every_s
        async with asyncio.TaskGroup() as group:
            while True:
                await self._something.wait()
                await asyncio.sleep(max(self._gather_s, began_s + self._every_s - loop.time()))
                await self._turn.acquire()
                began_s = loop.time()
                self._something.clear()
                flush = group.create_task(self._flush_in_turn())
                self._flushes.add(flush)
                flush.add_done_callback(self._flushes.discard)

    async def flush(self) -> None:
        """Everything added before is in the store and marked safe, that of flushes under way included."""
        await self._flush()
        if self._flushes:
            await asyncio.wait(list(self._flushes))

    async def hand_over(self) -> None:
        """Everything added before is in the store's buffer, in the order in which it was added."""
        async with self._handing_over:
            rows, self._rows, self._count, self._size = self._rows, {}, 0, 0
            noted, self._noted = self._noted, {}
            try:
                for table, lines in rows.items():
                    await self._store.add(table, lines)
            except BaseException:  # cancelled: all of it again next time, writing a row twice changes nothing
                self._rows = {table: rows.get(table, []) + self._rows.get(table, []) for table in rows | self._rows}
                self._noted = noted | self._noted
                raise
            self._handed_over |= noted

    async def _flush_in_turn(self) -> None:
        try:
            await self._flush()
        finally:
            self._turn.release()

    async def _flush(self) -> None:
        if self._before is not None:
            await self._before.hand_over()
        await self.hand_over()
        safe, self._handed_over = self._handed_over, {}
        newest_ms = [each_ms for tp, (_, _, each_ms) in safe.items() if tp.topic != MEASURES]
        write = self._meter.begin(min(newest_ms)) if self._meter and newest_ms else None
        await self._store.flush()
        for tp, (next_offset, assignment, _) in safe.items():
            self._offsets.mark_safe_up_to(tp, next_offset, assignment)
        if self._meter and write:
            self._meter.done(write)
