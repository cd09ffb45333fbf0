"""What was accepted is kept: on Kafka, and while Kafka is away on disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple, Self

from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.errors import InvalidEvent, TransientError
from streams.gateway.durable.counters import Counters
from streams.gateway.durable.courier import Courier, KafkaCourier
from streams.gateway.durable.delivery import letter_pair, places_of
from streams.gateway.durable.frames import Pair, frames, frames_bytes
from streams.gateway.durable.settings import EventLogSettings
from streams.gateway.durable.shipper import KeepUntil, Shipper, Threads
from streams.gateway.durable.spool import Spool
from streams.transport.broker import AnyBroker

_LINGER_BELOW_BYTES = 65_536
_log = logging.getLogger(__name__)


class LogState(StrEnum):
    """Where new records go.

    `kafka`: straight to the broker. `spool`: to disk, and from there to the broker. `full`: nowhere, the spool has no
    room. `stopped`: nowhere, not started or stopped.
    """

    KAFKA = "kafka"
    SPOOL = "spool"
    FULL = "full"
    STOPPED = "stopped"


class _Request(NamedTuple):
    topic: str
    pairs: Sequence[Pair]
    bytes: int
    kept: asyncio.Future[None]


class EventLog:
    """The durable side of the gateway, for one event loop.

    Requests that wait at the same time share a round: one produce request per broker, or one fsync. Rounds follow one
    another, so that records of one key keep their order. A record may be on Kafka more than once, never not at all;
    everything downstream is idempotent by event identity.

    Args:
        broker: where Kafka is.
        keep_until: for a broker that keeps nothing: every record goes through the spool, and a segment is deleted only
            once this has returned. It is given, for every (topic, partition), the offset after the last record of these
            segments, and returns when the store has all before; TransientError: it is asked again later.
        courier: instead of one that talks to `broker`.
        clock: Unix time.

    Attributes:
        counters: what happened so far.
        shipper: what brings the spool to Kafka.
    """

    def __init__(
        self,
        broker: AnyBroker,
        settings: EventLogSettings,
        *,
        keep_until: KeepUntil | None = None,
        courier: Courier | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counters = Counters()
        self._settings, self._keep_until = settings, keep_until
        self._courier = courier or KafkaCourier(broker, settings.idempotent and keep_until is None)
        self._spool = Spool(settings.folder, settings.max_bytes, settings.segment_bytes, clock)
        self._threads = Threads()
        caught_up = self._caught_up if keep_until is None else None
        self.shipper = Shipper(self._spool, self._courier, self.counters, settings, self._threads, caught_up, clock)
        self._requests: deque[_Request] = deque()
        self._waiting_bytes = 0
        self._direct = self._started = self._hand_over_wanted = False
        self._wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Self:
        """Take the spool folder; whether a broker is there does not matter.

        Raises: ConfigError: the folder is in use or cannot be used.
        """
        await self._threads.run(self._spool.open)
        if self._spool.depth_bytes:
            _log.warning("%d bytes left in the spool go to Kafka first", self._spool.depth_bytes)
        self._started = True
        self.shipper.wake()
        self._tasks = [asyncio.create_task(self._write_rounds()), asyncio.create_task(self.shipper.run())]
        if self._keep_until is not None:
            self._tasks.append(asyncio.create_task(self.shipper.release_forever(self._keep_until)))
        return self

    async def stop(self) -> None:
        """Write what waits and let go of broker and folder; what is in the spool stays for the next time."""
        if not self._started:
            return
        self._started = False
        self._wanted.set()
        await self._tasks[0]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._courier.close()
        await self._threads.run(self._spool.close)
        self._threads.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    @property
    def state(self) -> LogState:
        """Where a record goes that comes now."""
        if not self._started:
            return LogState.STOPPED
        if self._direct:
            return LogState.KAFKA
        return LogState.SPOOL if self._spool.has_room(self._settings.record_bytes) else LogState.FULL

    @property
    def depth_bytes(self) -> int:
        """In the spool and not on Kafka yet."""
        return self._spool.depth_bytes

    @property
    def spool_bytes(self) -> int:
        """On disk, with what is on Kafka already and waits for the store to have it."""
        return self._spool.used_bytes

    @property
    def oldest_s(self) -> float:
        """At least the age of the oldest record that is not on Kafka yet; 0 if all are."""
        return self._spool.oldest_s

    @property
    def waiting_bytes(self) -> int:
        """Given to `keep`, and neither on Kafka nor on disk yet."""
        return self._waiting_bytes

    @property
    def damaged_segments(self) -> int:
        """Files of the spool that were found damaged and are kept beside it.

        Operator action: look at the log; delete `*.corrupt` in the spool folder when done.
        """
        return self._spool.set_aside

    async def keep(self, records: Sequence[Pair]) -> None:
        """Return once these (key, canonical bytes) are durable. Takes as long as its share of a round; a caller that is
        cancelled does not hinder the others, and its records may or may not be kept.

        Raises:
            TransientError: they are not, or not all, kept: there is no room, or the disk refuses. Try again later.
            InvalidEvent: `too_large`, one of them is more than Kafka takes; the others may have been kept.
        """
        await self._keep(topics.EVENTS, records)

    async def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Return once these are as durable as events are. Raises: TransientError: they are not kept."""
        await self._keep(topics.DEAD_LETTERS, [letter_pair(letter) for letter in letters])

    async def _keep(self, topic: str, pairs: Sequence[Pair]) -> None:
        size = frames_bytes(pairs)
        if size > self._settings.record_bytes and max(map(_bytes, pairs)) > self._settings.record_bytes:
            raise InvalidEvent("too_large")
        if not pairs:
            return
        if not self._started or not self._has_room(size):
            self.counters.refused += len(pairs)
            raise TransientError("no room for more events", self._settings.retry_after_s)
        request = _Request(topic, pairs, size, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        self._waiting_bytes += size
        self._wanted.set()
        await request.kept

    def _has_room(self, size: int) -> bool:
        waiting = self._waiting_bytes + size
        return waiting <= self._settings.pending_bytes and (self._direct or self._spool.has_room(waiting))

    async def _write_rounds(self) -> None:
        """The only task that appends to the spool, and the one that writes to Kafka when the shipper does not."""
        while self._started or self._requests:
            await self._wanted.wait()
            if self._waiting_bytes < _LINGER_BELOW_BYTES:
                await asyncio.sleep(self._settings.linger_s)
            self._wanted.clear()
            if self._hand_over_wanted:
                await self._hand_over()
            if self._requests:
                await self._write(self._next_round())
            if self._requests:
                self._wanted.set()

    def _next_round(self) -> list[_Request]:
        requests, size, count = [], 0, 0
        most_bytes = self._settings.round_bytes // (1 if self._direct else 2)  # see `Shipper.give_way`
        while self._requests and size < most_bytes and count < self._settings.round_records:
            request = self._requests.popleft()
            requests.append(request)
            size, count = size + request.bytes, count + len(request.pairs)
        return requests

    async def _write(self, requests: list[_Request]) -> None:
        """Make one round durable and tell its callers."""
        self.counters.rounds += 1
        failure: TransientError | None = None
        invalid: set[Pair] = set()
        try:
            invalid = await (self._write_direct(requests) if self._direct else self._write_spool(requests))
        except TransientError as error:
            failure = error
        except Exception as error:  # the task must outlive it
            _log.exception("a round cannot be written")
            failure = TransientError(f"a round cannot be written: {type(error).__name__}")
        for request in requests:
            self._waiting_bytes -= request.bytes
            if failure is not None:
                self.counters.refused += len(request.pairs)
            if not request.kept.done():  # its caller may be gone
                self._tell(request, failure, invalid)

    def _tell(self, request: _Request, failure: TransientError | None, invalid: set[Pair]) -> None:
        if failure is not None:
            request.kept.set_exception(TransientError(failure.what, self._settings.retry_after_s))
        elif invalid and not invalid.isdisjoint(request.pairs):
            request.kept.set_exception(InvalidEvent("too_large"))
        else:
            request.kept.set_result(None)

    async def _write_direct(self, requests: list[_Request]) -> set[Pair]:
        """To Kafka, and to the spool what Kafka does not acknowledge. Returns what Kafka never takes."""
        places = places_of((request.topic, request.pairs) for request in requests)
        unsent, refused = await self.shipper.delivery.deliver(places, self._settings.produce_timeout_s)
        spooled = sum(map(len, unsent.values()))
        self.counters.kept_kafka += sum(map(len, places.values())) - spooled - len(refused)
        if unsent:
            self._direct = False
            self.shipper.wake()
            await self._append([piece for (topic, _), pairs in unsent.items() for piece in frames(topic, pairs)])
            self.counters.kept_spool += spooled
        return {pair for _, pair in refused}

    async def _write_spool(self, requests: list[_Request]) -> set[Pair]:
        await self.shipper.give_way()
        await self._append([piece for request in requests for piece in frames(request.topic, request.pairs)])
        self.counters.kept_spool += sum(len(request.pairs) for request in requests)
        self.shipper.wake()
        return set()

    async def _append(self, pieces: list[bytes]) -> None:
        try:
            await self._threads.run(self._spool.append, pieces)
        except TransientError as error:
            self.counters.disk_failures += 1
            _log.error("%s", error.what)
            raise

    def _caught_up(self) -> None:
        self._hand_over_wanted = True
        self._wanted.set()

    async def _hand_over(self) -> None:
        """Empty the spool while new records wait, then go straight to Kafka."""
        self._hand_over_wanted = False
        try:
            await self.shipper.ship_rest()
            self._direct = True
            _log.info("records go straight to Kafka")
        except Exception as error:  # the task must outlive it
            _log.warning("the spool cannot be handed over: %s", type(error).__name__)
            self.shipper.wake()


def _bytes(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])
