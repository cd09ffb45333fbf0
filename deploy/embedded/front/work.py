"""Running requests on the engine: blocking calls in threads, and a bounded number of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from deploy.embedded.front.engine import Answer, Counts, Engine, Handle
from deploy.embedded.front.errors import TOO_MANY_SIMULTANEOUS_QUERIES, StoreError

T = TypeVar("T")

STREAMED_FORMATS = frozenset(
    {
        "Native",
        "TabSeparated",
        "TSV",
        "TSVRaw",
        "TabSeparatedRaw",
        "CSV",
        "RowBinary",
        "JSONEachRow",
        "JSONCompactEachRow",
    }
)


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many requests run at once and how many may wait: readers and the writer do not starve each other."""

    readers: int = 4
    writers: int = 4
    waiting: int = 64


class Lane:
    """A bounded number of requests at once, a bounded queue behind them, refusal beyond."""

    def __init__(self, slots: int, waiting: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + waiting
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Raises: StoreError (TOO_MANY_SIMULTANEOUS_QUERIES): come again."""
        if self._inside >= self._room:
            raise StoreError.refusal(TOO_MANY_SIMULTANEOUS_QUERIES, "Too many simultaneous queries.")
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1


class Workers:
    """Threads for the engine's blocking calls: one per running request, so a turn in a lane is a thread."""

    def __init__(self, engine: Engine, lanes: Lanes) -> None:
        self.engine = engine
        self.reading = Lane(lanes.readers, lanes.waiting)
        self.writing = Lane(lanes.writers, lanes.waiting)
        self._threads = ThreadPoolExecutor(lanes.readers + lanes.writers + 1, thread_name_prefix="chdb")

    async def run(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    @asynccontextmanager
    async def handle(self, settings: dict[str, str], database: str) -> AsyncIterator[Handle]:
        """A handle that is closed whatever happens; a running statement ends before the handle is closed."""
        opened = await self.run(self.engine.open, settings, database)
        try:
            yield opened
        finally:
            await asyncio.shield(self.run(opened.close))

    async def chunks(self, stream: Iterator[Answer]) -> AsyncIterator[Answer]:
        while (answer := await self.run(next, stream, None)) is not None:
            yield answer

    def close(self) -> None:
        self._threads.shutdown(wait=True)


def added(left: Counts, right: Counts) -> Counts:
    """Chunks repeat the totals read so far, and each has result rows of its own."""
    return Counts(
        read_rows=max(left.read_rows, right.read_rows),
        read_bytes=max(left.read_bytes, right.read_bytes),
        result_rows=left.result_rows + right.result_rows,
        written_rows=max(left.written_rows, right.written_rows),
        written_bytes=max(left.written_bytes, right.written_bytes),
    )
