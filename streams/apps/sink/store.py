"""What the `sink` app needs of a store. The composition root gives it one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from schemas.events import Event
from schemas.policy import PolicyBook

Item = tuple[str, str]
"""(process, work item)."""
StandingKey = tuple[str, datetime, str, str, int]
"""What a `RowKey` is made of."""
Refused = Callable[[str, bytes, str], Awaitable[None]]
"""Told of a row that the store will never take: (table, row, error code)."""


class Store(Protocol):
    """A store that retries for as long as it takes: its methods return when it is done, and lose nothing."""

    async def open(self, on_refused: Refused) -> None:
        """Connect, and repair what an interrupted flush may have left."""

    async def take_over(self) -> None:
        """Repair what an interrupted flush of another worker may have left, whose partitions are now ours."""

    async def close(self) -> None:
        """Let go of connections and threads."""

    def archive_row(
        self, event: Event, payload: bytes, received_at: datetime, topic: str, partition: int, offset: int
    ) -> bytes:
        """The encoded row of `events` for one event; `payload` are its canonical bytes."""

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        """Take in encoded rows; waits when too many are not written yet."""

    async def flush(self) -> None:
        """Everything added before is written, and the windows it touches are re-aggregated."""

    def unwritten(self) -> tuple[int, int]:
        """Rows and bytes that are not written yet."""

    async def declare(self, policies: PolicyBook, processes: Iterable[str]) -> None:
        """Write what the policy promises for these processes: the views need it."""

    async def refresh_priors(self) -> None:
        """Compute the priors again, if windows have changed."""

    async def item_payloads(self, items: Sequence[Item]) -> dict[Item, list[bytes]]:
        """All archived contents of these work items."""

    async def item_sizes(self, items: Sequence[Item]) -> dict[Item, tuple[int, int]]:
        """How many archived contents these work items have, addressees counted, and how many bytes they are."""

    async def standing_rows(self, item: Item) -> list[StandingKey]:
        """The key of every flushed row of a work item that was not taken back."""

    async def due_items(self, now: datetime) -> list[Item]:
        """Evicted work items whose next deadline has passed."""
