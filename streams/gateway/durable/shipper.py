"""From the spool to Kafka, in order, for as long as the spool is ahead of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from schemas import topics
from schemas.errors import ConfigError, TransientError
from streams.gateway.durable.counters import Counters
from streams.gateway.durable.courier import Courier, Place
from streams.gateway.durable.delivery import Delivery, Places, letter_pair, places_of, too_large
from streams.gateway.durable.frames import Pair
from streams.gateway.durable.settings import EventLogSettings
from streams.gateway.durable.spool import Spool

KeepUntil = Callable[[Mapping[Place, int]], Awaitable[None]]
T = TypeVar("T")
_GIVE_WAY_S = 0.25
_log = logging.getLogger(__name__)


class Threads:
    """Where the spool's blocking work is done."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, "spool")  # one writes while the other reads

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def close(self) -> None:
        self._pool.shutdown()


class Shipper:
    """Replays the spool.

    Args:
        caught_up: called when all but `hand_over_bytes` is on Kafka; `ship_rest` then does the rest, and `wake` starts
            over. None: the spool is the only way, and its segments stay until they are `release`d.
    """

    def __init__(
        self,
        spool: Spool,
        courier: Courier,
        counters: Counters,
        settings: EventLogSettings,
        threads: Threads,
        caught_up: Callable[[], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self.delivery = Delivery(courier, counters)
        self._spool, self._courier, self._counters, self._settings = spool, courier, counters, settings
        self._threads, self._caught_up, self._clock = threads, caught_up, clock
        self._shipping = False
        self._behind, self._moved, self._turn = asyncio.Event(), asyncio.Event(), asyncio.Lock()

    def wake(self) -> None:
        """There is something in the spool, or the broker is not connected."""
        self._behind.set()

    async def give_way(self) -> None:
        """Where much is left to ship and the broker is there, wait for one round of it: as long as no more is appended
        between two rounds than one round takes, the spool gets empty under any load."""
        if not self._shipping or self._spool.depth_bytes <= self._settings.hand_over_bytes:
            return
        self._moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GIVE_WAY_S):
                await self._moved.wait()

    async def run(self) -> None:
        """Until cancelled. Nothing that goes wrong ends it."""
        pause_s = self._settings.retry_min_s
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                await self._courier.connect(self._settings.connect_timeout_s)
                await self._ship(self._settings.hand_over_bytes if self._caught_up else 0)
                pause_s = self._settings.retry_min_s
                if self._caught_up:
                    self._caught_up()
                continue
            except (TransientError, ConfigError) as error:
                self._counters.broker_failures += 1
                level = logging.ERROR if isinstance(error, ConfigError) else logging.WARNING
                level = level if pause_s == self._settings.retry_min_s else logging.DEBUG  # once for each outage
                _log.log(level, "%s; %d bytes are waiting in the spool", error, self._spool.depth_bytes)
            except Exception:
                _log.exception("the spool cannot be replayed")
            self._behind.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    async def ship_rest(self) -> None:
        """Everything, while nobody appends. Raises: TransientError: the broker is away."""
        while self._spool.depth_bytes:
            await self._round(self._settings.produce_timeout_s)

    async def _ship(self, enough: int) -> None:
        self._shipping = True
        try:
            while self._spool.depth_bytes > enough:
                await self._round(self._settings.replay_timeout_s)
        finally:
            self._shipping = False

    async def _round(self, timeout_s: float) -> None:
        """Raises: TransientError: not all of it is on Kafka, and it will be read again."""
        async with self._turn:
            await self._ship_batch(timeout_s)
        self._moved.set()

    async def _ship_batch(self, timeout_s: float) -> None:
        batch = await self._threads.run(self._spool.read, self._settings.round_bytes)
        lives = self.delivery.lives
        places = places_of((entry.topic, ((entry.key, entry.value),)) for entry in batch.entries)
        unsent, refused = await self.delivery.deliver(places, timeout_s)
        if refused and not unsent:
            unsent = await self._bury(refused, timeout_s)
        if unsent:
            raise TransientError("Kafka did not acknowledge what is in the spool")
        self._counters.replayed += len(batch.entries)
        if self._caught_up is None and lives != self.delivery.lives:
            _log.warning("the broker has forgotten what it had: all that the spool holds goes to it again")
            self._spool.rewind()
            return
        self._spool.advance(batch.end)
        if self._caught_up is not None:
            await self._threads.run(self._spool.mark)

    async def _bury(self, refused: list[tuple[Place, Pair]], timeout_s: float) -> Places:
        """A record that Kafka never takes must not hold up those behind it. Returns the letters that are not sent."""
        self._counters.dead_letters += len(refused)
        _log.error("%d records in the spool are too large for Kafka and become dead letters", len(refused))
        now = datetime.fromtimestamp(self._clock(), UTC)
        letters = [letter_pair(too_large(place, value, now)) for place, (_, value) in refused]
        return (await self.delivery.deliver(places_of([(topics.DEAD_LETTERS, letters)]), timeout_s)).unsent

    async def release_forever(self, keep_until: KeepUntil) -> None:
        """Until cancelled: delete what the store has."""
        while True:
            await asyncio.sleep(self._settings.release_every_s)
            try:
                await self.release(keep_until)
            except TransientError as error:
                _log.warning("the spool is kept: %s", error.what)
            except Exception:
                _log.exception("the spool is kept")

    async def release(self, keep_until: KeepUntil) -> None:
        """Delete what the spool held when this began, once the store has it. Raises: TransientError: it stays."""
        if not self._spool.used_bytes:
            return
        before = await self._threads.run(self._spool.roll)
        while self._spool.is_ahead(before):
            self._moved.clear()
            await self._moved.wait()
        lives, ends = self.delivery.lives, dict(self.delivery.ends)
        await keep_until(ends)
        if lives == self.delivery.lives:
            await self._threads.run(self._spool.release, before)
