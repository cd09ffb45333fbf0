"""Rows to the store: bounded, retried for ever, never dropped.

A store that is slow or away blocks the caller (back-pressure). Rows that the store refuses for what they hold are
found by halving and handed on; everything is written at least once, and writing a row again changes nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.errors import TransientError
from sinks.clickhouse.faults import fault_of
from sinks.clickhouse.insert import insert_rows

Refused = Callable[[str, bytes, str], Awaitable[None]]
"""(table, row, code) of a row that will never be accepted."""
Trouble = Callable[[TransientError | None], None]
"""The store is away (again), or, with None, answers again."""
BeforeInsert = Callable[[Sequence[bytes]], Awaitable[None]]
Result = TypeVar("Result")

LAST: tuple[str, ...] = ("work_items",)
"""A state says that its rows have been written: it goes after them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the buffer, per insert, and of the pauses between tries."""

    max_rows: int = 200_000
    max_bytes: int = 128 * 1024 * 1024
    rows_per_insert: int = 100_000
    first_pause_s: float = 0.1
    longest_pause_s: float = 10.0
    threads: int = 4


@dataclass(slots=True)
class _Buffer:
    rows: dict[str, list[bytes]] = field(default_factory=dict)
    count: int = 0
    size: int = 0

    def add(self, table: str, rows: Sequence[bytes]) -> None:
        self.rows.setdefault(table, []).extend(rows)
        self.count += len(rows)
        self.size += sum(map(len, rows))


class Retry:
    """Runs blocking calls in threads, again and again until one succeeds or fails for its rows' sake."""

    def __init__(self, on_trouble: Trouble, limits: Limits) -> None:
        self._on_trouble = on_trouble
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="store")
        self._troubled = False

    async def call(self, work: Callable[[], Result]) -> Result:
        """Raises: ClickHouseError: a row is refused. CancelledError: at once; the call may still take effect."""
        pause_s = self._limits.first_pause_s
        while True:
            try:
                result = await asyncio.get_running_loop().run_in_executor(self._pool, work)
            except (ClickHouseError, OSError) as error:
                fault = fault_of(error)
                if fault.of_a_row:
                    raise
                self._troubled = True
                self._on_trouble(TransientError(f"clickhouse: {fault.label}", pause_s))
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, self._limits.longest_pause_s)
            else:
                if self._troubled:
                    self._troubled = False
                    self._on_trouble(None)
                return result

    def close(self) -> None:
        """Doesn't wait for a call that is under way."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Writer:
    """Collects encoded rows per table and inserts them. For one event loop; any number of tasks may add.

    Args:
        retry: shared with what else talks to the store.
        before: table to what must have happened before rows of it are inserted.
    """

    def __init__(
        self,
        client: Client,
        retry: Retry,
        *,
        on_refused: Refused,
        before: Mapping[str, BeforeInsert] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._client = client
        self._retry = retry
        self._on_refused = on_refused
        self._before = dict(before or {})
        self._limits = limits or Limits()
        self._buffer = _Buffer()
        self._flushing = asyncio.Lock()

    @property
    def buffered(self) -> int:
        """Rows that are not acknowledged yet, without those of a flush under way."""
        return self._buffer.count

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
            open_tables = dict(taken.rows)
            try:
                await _all(self._write(table, open_tables) for table in taken.rows if table not in LAST)
                await _all(self._write(table, open_tables) for table in taken.rows if table in LAST)
            finally:
                for table, rows in open_tables.items():
                    self._buffer.add(table, rows)
            return taken.count

    def _overfull(self, rows: Sequence[bytes]) -> bool:
        size = self._buffer.size + sum(map(len, rows))
        return self._buffer.count + len(rows) > self._limits.max_rows or size > self._limits.max_bytes

    async def _write(self, table: str, open_tables: dict[str, list[bytes]]) -> None:
        rows = open_tables[table]
        before = self._before.get(table)
        if before is not None:
            await before(rows)
        step = self._limits.rows_per_insert
        for start in range(0, len(rows), step):
            await self._insert(table, rows[start : start + step])
        del open_tables[table]

    async def _insert(self, table: str, rows: Sequence[bytes]) -> None:
        try:
            await self._retry.call(lambda: insert_rows(self._client, table, rows))
        except ClickHouseError as error:
            if len(rows) == 1:
                await self._on_refused(table, rows[0], fault_of(error).label)
                return
            middle = len(rows) // 2
            await self._insert(table, rows[:middle])
            await self._insert(table, rows[middle:])


async def _all(writes: Iterable[Coroutine[None, None, None]]) -> None:
    """Together; when one is cancelled or fails, the others are ended before this returns."""
    try:
        async with asyncio.TaskGroup() as group:
            for write in writes:
                group.create_task(write)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
