"""Calls to a store that may be slow or away: tried again until they succeed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse.faults import StoreAway, fault_of

Trouble = Callable[[StoreAway | None], None]
"""The store is away (again), or, with None, answers again."""
Result = TypeVar("Result")


class Retry:
    """Runs blocking calls in threads, again and again until one succeeds or fails for its rows' sake."""

    def __init__(
        self, on_trouble: Trouble, *, first_pause_s: float = 0.1, longest_pause_s: float = 10.0, threads: int = 4
    ) -> None:
        self._on_trouble = on_trouble
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._troubled: set[object] = set()
        self._away = False

    async def call(self, work: Callable[[], Result]) -> Result:
        """Raises: ClickHouseError: a row is refused. CancelledError: at once; the call may still take effect."""
        pause_s, this = self._first_pause_s, object()
        try:
            while True:
                try:
                    result = await asyncio.get_running_loop().run_in_executor(self._pool, work)
                except (ClickHouseError, OSError) as error:
                    fault = fault_of(error)
                    if fault.of_a_row:
                        raise
                    self._troubled.add(this)
                    self._away = True
                    self._on_trouble(StoreAway(fault, pause_s))
                    await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                    pause_s = min(2 * pause_s, self._longest_pause_s)
                else:
                    self._well(this)
                    return result
        finally:
            self._troubled.discard(this)

    def _well(self, call: object) -> None:
        """A call succeeded. A store whose disk is full still answers questions, so no other call may be in trouble."""
        self._troubled.discard(call)
        if self._away and not self._troubled:
            self._away = False
            self._on_trouble(None)

    def close(self) -> None:
        """Doesn't wait for a call that is under way."""
        self._pool.shutdown(wait=False, cancel_futures=True)
