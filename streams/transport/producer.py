"""Writing whole batches to chosen partitions: a record costs microseconds, an answer means *all replicas have it*."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from schemas.errors import InvalidEvent, TielineError, TransientError
from streams.transport.broker import AnyBroker, Broker
from streams.transport.refusal import connecting

Pair = tuple[bytes | None, bytes | None]
_RETRY_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerSettings:
    """Settings of a `BatchProducer`.

    Attributes:
        request_timeout_s: one request, and how long the client retries a chunk by itself.
        retry_budget_s: no new attempt starts after this; then `produce` raises TransientError.
        chunk_bytes: uncompressed size at which records are split into another chunk; well under the broker's limit
            of 1 MiB per batch, so that only a single record can be too large.
        compression: None, `gzip`, and `lz4` or `zstd` where the package cramjam is installed.
    """

    request_timeout_s: float = 10.0
    retry_budget_s: float = 30.0
    chunk_bytes: int = 524_288
    compression: str | None = None


class BatchProducer:
    """Produces lists of records, at least once and in order within a partition.

    Not idempotent in Kafka's sense: aiokafka then never gives a batch up, and what Tieline writes may be written
    twice. Calls for different partitions may run side by side; calls for one partition must be awaited in turn.
    """

    def __init__(self, broker: AnyBroker, settings: ProducerSettings | None = None) -> None:
        self._broker = Broker.of(broker)
        self._settings = settings or ProducerSettings()
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> Self:
        """Connect, if it is not connected yet.

        Raises: TransientError: no broker answers. ConfigError: one does, and refuses us.
        """
        if self._producer is not None:
            return self
        ours = self._settings
        producer = AIOKafkaProducer(
            acks="all",
            compression_type=ours.compression,
            max_batch_size=ours.chunk_bytes,
            max_request_size=ours.chunk_bytes * 8,
            request_timeout_ms=int(ours.request_timeout_s * 1000),
            **self._broker.aiokafka_options(),
        )
        try:
            async with connecting(self._broker):
                await producer.start()
        except TielineError:
            with suppress(KafkaError):
                await producer.stop()
            raise
        self._producer = producer
        return self

    async def stop(self) -> None:
        """Send what is queued and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def produce(
        self, topic: str, partition: int, records: Sequence[Pair], *, timestamp_ms: int | None = None
    ) -> int | None:
        """Write (key, value) pairs in order; returns once every in-sync replica has all of them.

        After a failed attempt everything from the first unacknowledged chunk on is written again, so that the last
        copies are in order.

        Args:
            timestamp_ms: Unix time for all of them; now, if None.
        Returns: the offset of the last record, None for no records.
        Raises: TransientError: not, or not all, acknowledged within the budget; some may have been written.
            InvalidEvent: a single record is larger than the broker takes.
        """
        chunks = _chunks(self._started(), records, timestamp_ms)
        deadline_s = time.monotonic() + self._settings.retry_budget_s
        last_offset: int | None = None
        while chunks:
            done, offset, error = await self._send(topic, partition, chunks)
            last_offset = offset if done else last_offset
            chunks = chunks[done:]
            if error is None:
                break
            if time.monotonic() + _RETRY_PAUSE_S > deadline_s or not error.retriable:
                raise TransientError(f"produce to {topic}/{partition}: {error!r}") from error
            await asyncio.sleep(_RETRY_PAUSE_S)
        return last_offset

    async def _send(self, topic: str, partition: int, chunks: list[Any]) -> tuple[int, int, KafkaError | None]:
        """(chunks acknowledged in a row, offset of their last record, the error that ended the row)."""
        producer = self._started()
        try:
            sent = [await producer.send_batch(chunk, topic, partition=partition) for chunk in chunks]
        except KafkaError as error:
            return 0, -1, error
        except AssertionError:  # aiokafka's, where the partition is not in its metadata any more
            return 0, -1, UnknownTopicOrPartitionError()
        answers = await asyncio.gather(*sent, return_exceptions=True)
        last_offset = -1
        for index, (chunk, answer) in enumerate(zip(chunks, answers, strict=True)):
            if isinstance(answer, MessageSizeTooLargeError):
                raise InvalidEvent("too_large") from answer
            if isinstance(answer, KafkaError):
                return index, last_offset, answer
            if isinstance(answer, BaseException):
                raise answer
            last_offset = answer.offset + chunk.record_count() - 1
        return len(chunks), last_offset, None

    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise TransientError("the producer is not started")
        return self._producer


def _chunks(producer: AIOKafkaProducer, records: Sequence[Pair], timestamp_ms: int | None) -> list[Any]:
    """Closed aiokafka batches holding `records` in order, split at the size limit; compression happens on sending."""
    chunks: list[Any] = []
    builder = None
    for key, value in records:
        if builder is None or builder.append(key=key, value=value, timestamp=timestamp_ms) is None:
            builder = producer.create_batch()
            builder.append(key=key, value=value, timestamp=timestamp_ms)
            chunks.append(builder)
    for chunk in chunks:
        chunk.close()
    return chunks
