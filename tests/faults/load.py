"""A source that goes on sending, whatever happens to the rest."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence

from deploy.composition.feed import Feed
from schemas.errors import TransientError
from schemas.events import Event
from schemas.topics import event_key
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer, Pair

_CHUNK_S = 0.1
_AGAIN_PAUSE_S = 0.2


class Load:
    """Sends `events` in order at a steady pace, then any of them again, until left; on leaving it sends the rest.

    Each chunk is acknowledged by all in-sync replicas before the next one; one that is not is sent again, so nothing
    that this source holds is lost, and some of it comes twice.

    Args:
        per_s: events a second.

    Attributes:
        released: so many events may be sent for the first time; the rest when this grows, or on leaving.
        sent: events acknowledged, each counted once.
        repeated: events acknowledged again.
        failures: chunks that the broker did not acknowledge in time.
        longest_gap_s: the longest time between two acknowledgements.
    """

    def __init__(self, broker: AnyBroker, events: Sequence[Event], per_s: float = 250.0) -> None:
        self._broker, self._per_s = broker, per_s
        self._pairs: list[Pair] = [(event_key(event), event.canonical()) for event in events]
        self._dice = random.Random(len(events))
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._error: BaseException | None = None
        self.sent = self.repeated = self.failures = 0
        self.released = len(self._pairs)
        self.longest_gap_s = 0.0

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        self._leaving.set()
        self._thread.join(120)
        if kind is None:
            assert not self._thread.is_alive(), f"sent {self.sent} of {len(self._pairs)}, {self.failures} failures"
            if self._error is not None:
                raise self._error

    def wait_until_sent(self, count: int, timeout_s: float = 120.0) -> None:
        """Until so many events are acknowledged."""
        deadline_s = time.monotonic() + timeout_s
        while self.sent < count:
            assert self._thread.is_alive(), self._error
            assert time.monotonic() < deadline_s, f"sent {self.sent} of {count}, {self.failures} failures"
            time.sleep(0.02)

    async def _run(self) -> None:
        try:
            async with BatchProducer(self._broker) as producer:
                await self._send_all(Feed(producer))
        except BaseException as error:
            self._error = error

    async def _send_all(self, feed: Feed) -> None:
        at, size, answered_s = 0, max(1, int(self._per_s * _CHUNK_S)), time.monotonic()
        while at < len(self._pairs) or not self._leaving.is_set():
            until = len(self._pairs) if self._leaving.is_set() else self.released
            fresh = self._pairs[at : min(at + size, until)]
            await self._until_acknowledged(feed, fresh or self._dice.choices(self._pairs, k=max(1, size // 4)))
            at += len(fresh)
            self.sent, self.repeated = at, self.repeated + (0 if fresh else max(1, size // 4))
            self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - answered_s)
            answered_s = time.monotonic()
            if not self._leaving.is_set():
                await asyncio.sleep(_CHUNK_S)

    async def _until_acknowledged(self, feed: Feed, chunk: list[Pair]) -> None:
        while True:
            try:
                await feed.send_chunk(chunk)
                return
            except TransientError:
                self.failures += 1
                await asyncio.sleep(_AGAIN_PAUSE_S)
