"""Rows to the store: bounded, retried for ever, never dropped.

A store that is slow or away blocks the caller (back-pressure). Rows that the store refuses for what they hold are
found by halving and handed on; everything is written at least once, and writing a row again changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse.faults import fault_of
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.watch import StoreWatch, Unwatched

Refused = Callable[[str, bytes, str], Awaitable[None]]
"""(table, row, code) of a row that will never be accepted."""
BeforeInsert = Callable[[Sequence[bytes]], Awaitable[Callable[[], None]]]
"""Is told the rows about to be inserted; what it returns is called once they are acknowledged."""

LAST: tuple[str, ...] = ("work_items",)
"""A state says that its rows have been written: it goes after them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the buffer, and per insert."""

    max_rows: int = 200_000
    max_bytes: int = 128 * 1024 * 1024
    rows_per_insert: int = 100_000


@dataclass(slots=True)
class _Buffer:
    rows: dict[str, list[bytes]] = field(default_factory=dict)
    count: int = 0
    size: int = 0

    def add(self, table: str, rows: Sequence[bytes]) -> None:
        self.rows.setdefault(table, []).extend(rows)
        self.count += len(rows)
        self.size += sum(map(len, rows))


class Writer:
    """Collects encoded rows per table and inserts them. For one event loop; any number of tasks may add.

    Args:
        retry: shared with what else talks to the store.
        before: table to what is told its rows before they are inserted.
        watch: is told what was inserted.
    """

    def __init__(
        self,
        client: Client,
        retry: Retry,
        *,
        on_refused: Refused,
        before: Mapping[str, BeforeInsert] | None = None,
        limits: Limits | None = None,
        watch: StoreWatch | None = None,
    ) -> None:
        self._client = client
        self._retry = retry
        self._on_refused = on_refused
        self._before = dict(before or {})
        self._limits = limits or Limits()
        self._watch = watch or Unwatched()
        self._buffer = _Buffer()
        self._taken = _Buffer()
        self._flushing = asyncio.Lock()

    @property
    def unwritten(self) -> tuple[int, int]:
        """Rows and bytes that are not acknowledged yet, with those of a flush under way."""
        return self._buffer.count + self._taken.count, self._buffer.size + self._taken.size

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        """Takes rows, one JSON object each. A full buffer is flushed first: the caller then waits for the store."""
        while self._buffer.count and self._overfull(rows):
            await self.flush()
        self._buffer.add(table, rows)

    async def flush(self) -> int:
        """Writes all that was added before; returns how many rows. They are acknowledged, or handed to `on_refused`.

        Cancelled, it keeps what was not acknowledged for the next flush.
        """
        async with self._flushing:
            taken, self._buffer = self._buffer, _Buffer()
            self._taken = taken
            open_tables = dict(taken.rows)
            try:
                await _all(self._write(table, open_tables) for table in taken.rows if table not in LAST)
                await _all(self._write(table, open_tables) for table in taken.rows if table in LAST)
            finally:
                self._taken = _Buffer()
                for table, rows in open_tables.items():
                    self._buffer.add(table, rows)
            return taken.count

    def _overfull(self, rows: Sequence[bytes]) -> bool:
        size = self._buffer.size + sum(map(len, rows))
        return self._buffer.count + len(rows) > self._limits.max_rows or size > self._limits.max_bytes

    async def _write(self, table: str, open_tables: dict[str, list[bytes]]) -> None:
        rows = open_tables[table] = await self._objects(table, open_tables[table])
        before = self._before.get(table)
        acknowledged = await before(rows) if before is not None else None
        step = self._limits.rows_per_insert
        for start in range(0, len(rows), step):
            await self._insert(table, rows[start : start + step])
        del open_tables[table]
        if acknowledged is not None:
            acknowledged()

    async def _objects(self, table: str, rows: list[bytes]) -> list[bytes]:
        # Anything else might be taken by the store as no row, or as several.
        for row in rows:
            if not row.startswith(b"{"):
                await self._on_refused(table, row, "not_an_object")
        return [row for row in rows if row.startswith(b"{")]

    async def _insert(self, table: str, rows: Sequence[bytes]) -> None:
        try:
            took_s = await self._retry.call(lambda: self._insert_timed(table, rows))
        except ClickHouseError as error:
            if len(rows) == 1:
                await self._on_refused(table, rows[0], fault_of(error).label)
                return
            middle = len(rows) // 2
            await self._insert(table, rows[:middle])
            await self._insert(table, rows[middle:])
        else:
            self._watch.inserted(table, len(rows), took_s)

    def _insert_timed(self, table: str, rows: Sequence[bytes]) -> float:
        began_s = time.perf_counter()
        insert_rows(self._client, table, rows)
        return time.perf_counter() - began_s


async def _all(writes: Iterable[Coroutine[None, None, None]]) -> None:
    """Together; when one is cancelled or fails, the others are ended before this returns."""
    try:
        async with asyncio.TaskGroup() as group:
            for write in writes:
                group.create_task(write)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
