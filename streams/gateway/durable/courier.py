"""Bringing a round of records to Kafka, in a bounded time: acknowledged by all replicas, or known not to be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.errors import TransientError
from schemas.topics import PARTITIONS
from streams.gateway.durable.frames import TOPICS, Pair
from streams.transport.broker import AnyBroker, Broker
from streams.transport.refusal import refusal

Place = tuple[str, int]
"""Topic and partition."""
Round = Mapping[Place, Sequence[Pair]]
Ends = dict[Place, int]
"""By place, the offset after the last record."""

_CHUNK_BYTES = 524_288
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Written:
    """What became of a round.

    Attributes:
        ends: of places whose records are all acknowledged.
        failed: places of which some or all records are not.
        too_large: of the failed, those where the broker called something too large.
        why: the errors' names.
    """

    ends: Ends = field(default_factory=dict)
    failed: set[Place] = field(default_factory=set)
    too_large: set[Place] = field(default_factory=set)
    why: set[str] = field(default_factory=set)


class Courier(Protocol):
    """One connection to Kafka; one round at a time."""

    async def connect(self, timeout_s: float) -> None:
        """Be connected; returns at once if it is.

        Raises: TransientError: no broker, or not with our topics; ConfigError: it does not let us in.
        """
        ...

    async def write(self, records: Round, timeout_s: float) -> Written:
        """Write a round, in order within a place. Never raises for what Kafka answers; disconnected after a failure."""
        ...

    async def close(self) -> None:
        """Disconnect. Never raises."""
        ...


class KafkaCourier:
    """A courier with an idempotent producer, where the broker has such a thing.

    An idempotent aiokafka producer never gives a batch up, and one that had to is of no more use: its sequence has a
    gap. So after any failure the producer is abandoned, and `connect` makes another.
    """

    def __init__(self, broker: AnyBroker, idempotent: bool) -> None:
        self._broker, self._idempotent = Broker.of(broker), idempotent
        self._producer: AIOKafkaProducer | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def idempotent(self) -> bool:
        """Whether the broker drops what is sent twice; False from when one said that it cannot."""
        return self._idempotent

    async def connect(self, timeout_s: float) -> None:
        if self._producer is not None:
            return
        try:
            self._producer = await self._connected(self._idempotent, timeout_s)
        except KafkaError as error:
            if error.retriable or not self._idempotent:
                raise await refusal(self._broker, error) from error
            self._producer = await self._without_idempotence(error, timeout_s)
        except (OSError, TimeoutError, ValueError) as error:  # aiokafka's, of a broker that does not know the password
            raise await refusal(self._broker, error) from error

    async def _without_idempotence(self, error: KafkaError, timeout_s: float) -> AIOKafkaProducer:
        """Tansu has no producer ids; a broker's rules may deny us one. What is written twice is harmless."""
        try:
            producer = await self._connected(False, timeout_s)
        except (KafkaError, OSError, TimeoutError, ValueError) as second:
            raise await refusal(self._broker, second) from second
        self._idempotent = False
        _log.warning("the broker gives out no producer id (%s): records may be on Kafka twice", _name(error))
        return producer

    async def _connected(self, idempotent: bool, timeout_s: float) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=idempotent,
            max_batch_size=_CHUNK_BYTES,
            max_request_size=_CHUNK_BYTES * 16,
            request_timeout_ms=max(500, int(timeout_s * 1000)),
            **self._broker.aiokafka_options(),
        )
        try:
            async with asyncio.timeout(timeout_s):
                await producer.start()
                await _check_topics(producer)
        except BaseException:
            self._abandon(producer)
            raise
        return producer

    async def write(self, records: Round, timeout_s: float) -> Written:
        producer, deadline_s = self._producer, time.monotonic() + timeout_s
        if producer is None:
            return Written(failed=set(records), why={"NotConnected"})
        try:
            sent, counts = await _sent(producer, records, timeout_s)
            waiting = [answer for answers in sent.values() for answer in answers]
            if waiting:
                await asyncio.wait(waiting, timeout=max(0.0, deadline_s - time.monotonic()))
        except BaseException:
            self._producer = None
            self._abandon(producer)
            raise
        written = Written()
        for place in records:
            _note(written, place, sent[place], counts[place])
        if written.failed:
            self._producer = None
            self._abandon(producer)
        return written

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._abandon(producer)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _abandon(self, producer: AIOKafkaProducer) -> None:
        """Disconnect without waiting for what is still on its way: that is written again by somebody else."""
        task = asyncio.create_task(_end(producer))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _check_topics(producer: AIOKafkaProducer) -> None:
    for topic in TOPICS:
        count = len(await producer.partitions_for(topic))
        if count != PARTITIONS:
            _log.error("%s has %d partitions and needs %d; see `tieline topics`", topic, count, PARTITIONS)
            raise TransientError(f"{topic} has {count} partitions and needs {PARTITIONS}")


async def _sent(
    producer: AIOKafkaProducer, records: Round, timeout_s: float
) -> tuple[dict[Place, list[asyncio.Future[Any]]], dict[Place, list[int]]]:
    """Everything handed to the client: its answers to come, and how many records each is about. What could not be
    handed over in time has no answer."""
    sent: dict[Place, list[asyncio.Future[Any]]] = defaultdict(list)
    counts: dict[Place, list[int]] = {place: [] for place in records}
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            for place, pairs in records.items():
                chunks = _chunks(producer, pairs)
                counts[place] = [chunk.record_count() for chunk in chunks]
                for chunk in chunks:
                    try:
                        answer = await producer.send_batch(chunk, place[0], partition=place[1])
                    except (KafkaError, AssertionError) as error:  # the partition is not in the metadata any more
                        answer = asyncio.get_running_loop().create_future()
                        answer.set_exception(error)
                    answer.add_done_callback(_seen)
                    sent[place].append(answer)
    return sent, counts


def _note(written: Written, place: Place, answers: list[asyncio.Future[Any]], counts: list[int]) -> None:
    """What the answers of one place mean."""
    whys: set[str] = set()
    for answer in answers:
        if not answer.done():
            whys.add("TimeoutError")
        elif answer.cancelled():
            whys.add("CancelledError")
        elif (error := answer.exception()) is not None:
            whys.add(_name(error))
            if isinstance(error, MessageSizeTooLargeError):
                written.too_large.add(place)
    if not answers or len(answers) < len(counts):  # time was up before they were handed over
        whys.add("TimeoutError")
    if whys:
        written.failed.add(place)
        written.why |= whys
    elif answers[-1].result().offset >= 0:
        written.ends[place] = answers[-1].result().offset + counts[-1]


def _chunks(producer: AIOKafkaProducer, pairs: Sequence[Pair]) -> list[Any]:
    chunks: list[Any] = []
    builder = None
    for key, value in pairs:
        if builder is None or builder.append(key=key, value=value, timestamp=None) is None:
            builder = producer.create_batch()
            builder.append(key=key, value=value, timestamp=None)
            chunks.append(builder)
    for chunk in chunks:
        chunk.close()
    return chunks


async def _end(producer: AIOKafkaProducer) -> None:
    # `stop` would wait for an idempotent producer to deliver everything, forever if the broker stays away.
    producer._closed = True
    for step in (producer._sender.close, producer.client.close):
        with suppress(Exception):
            await step()


def _seen(answer: asyncio.Future[Any]) -> None:
    """An answer that comes when nobody waits any more is no error."""
    if not answer.cancelled():
        answer.exception()


def _name(error: BaseException) -> str:
    return type(error).__name__
