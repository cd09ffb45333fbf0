"""Handlers at work, so that partitions are given up between batches and not in the middle of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """Counts handlers at work; `handing_over` tells them that their partitions are wanted back."""

    def __init__(self) -> None:
        self.handing_over = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._at_work = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """One handler call."""
        self._at_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._idle.set()

    async def drained(self, timeout_s: float) -> bool:
        """Wait until no handler is at work; False when that took longer than `timeout_s`."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until a hand-over starts."""
        try:
            await asyncio.wait_for(self.handing_over.wait(), seconds)
        except TimeoutError:
            return
