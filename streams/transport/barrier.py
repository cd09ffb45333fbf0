"""Reading a topic up to now, without asking the broker where its end is.

End offsets are wrong on Tansu after a batch. Instead the reader writes a record of its own into each partition and
reads until it meets it: everything written before is then known to have been read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import TransientError
from streams.transport.batch import Record, records_of
from streams.transport.broker import AnyBroker, Broker
from streams.transport.producer import BatchProducer
from streams.transport.refusal import connecting

# One key for all readers: compaction keeps only the newest barrier of a partition.
BARRIER_KEY = b"\x00tieline.barrier"
_POLL_MS = 200


def is_barrier(record: Record) -> bool:
    """Whether a record is some reader's barrier and not data."""
    return record.key == BARRIER_KEY


async def read_to_barrier(
    topic: str,
    partitions: Collection[int],
    *,
    broker: AnyBroker,
    producer: BatchProducer,
    stall_timeout_s: float = 15.0,
) -> AsyncIterator[Record]:
    """Every record of these partitions, in order within each, that was written before the call. Barriers are left
    out, tombstones are not. Takes no part in any consumer group.

    Args:
        stall_timeout_s: longest time without any record while a barrier is still ahead.
    Raises: TransientError: the broker is away, or stalled; start again from the beginning. ConfigError: it refuses us.
    """
    token = uuid4().bytes
    barrier_offsets = {}
    for partition in sorted(set(partitions)):
        offset = await producer.produce(topic, partition, [(BARRIER_KEY, token)])
        barrier_offsets[partition] = -1 if offset is None else offset
    if not barrier_offsets:
        return
    where = Broker.of(broker)
    consumer = AIOKafkaConsumer(
        auto_offset_reset="earliest", fetch_max_wait_ms=_POLL_MS // 4, **where.aiokafka_options()
    )
    try:
        async with connecting(where):
            await consumer.start()
        async for record in _read(consumer, topic, barrier_offsets, token, stall_timeout_s):
            yield record
    except KafkaError as error:
        raise TransientError(f"reading {topic}: {error!r}") from error
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, topic: str, barrier_offsets: dict[int, int], token: bytes, stall_timeout_s: float
) -> AsyncIterator[Record]:
    waiting = {KafkaTopicPartition(topic, partition): offset for partition, offset in barrier_offsets.items()}
    consumer.assign(list(waiting))
    progress_at_s = time.monotonic()
    while waiting:
        fetched = await consumer.getmany(*waiting, timeout_ms=_POLL_MS)
        if not fetched and time.monotonic() - progress_at_s > stall_timeout_s:
            names = ", ".join(f"{tp.partition}" for tp in waiting)
            raise TransientError(f"no barrier in {topic} partitions {names} after {stall_timeout_s:.0f} s of silence")
        for tp, records in fetched.items():
            for record in records_of(records):
                # A later record means that compaction took our barrier for the sake of a newer one.
                if (record.value == token and record.key == BARRIER_KEY) or record.offset > waiting[tp] >= 0:
                    del waiting[tp]
                    consumer.pause(tp)
                    break
                if record.key != BARRIER_KEY:
                    yield record
        if fetched:
            progress_at_s = time.monotonic()
