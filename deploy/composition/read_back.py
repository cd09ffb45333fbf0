"""Reading single records back from Kafka, by where they are."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import TransientError
from streams.transport.barrier import BARRIER_KEY
from streams.transport.batch import Record, records_of
from streams.transport.broker import AnyBroker, Broker
from streams.transport.producer import BatchProducer
from streams.transport.refusal import connecting

_POLL_MS = 200
_READ_THROUGH = 1_000
"""Records: as many are rather read and left than sought over."""


async def read_back(
    topic: str,
    wanted: Mapping[int, Collection[int]],
    *,
    broker: AnyBroker,
    producer: BatchProducer,
    stall_s: float = 15.0,
) -> AsyncIterator[Record]:
    """The records of these partitions and offsets that the broker still has, in order within each partition.

    A barrier in each of these partitions says where it ends: end offsets are wrong on Tansu. Takes no part in any
    group.

    Raises: TransientError: the broker is away, or stalled. ConfigError: it refuses us.
    Cost: 5 ms for each record that stands alone.
    """
    where = Broker.of(broker)
    consumer = AIOKafkaConsumer(
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS // 4,
        enable_auto_commit=False,
        **where.aiokafka_options(),
    )
    try:
        async with connecting(where):
            await consumer.start()
        for partition, offsets in sorted(wanted.items()):
            end = await producer.produce(topic, partition, [(BARRIER_KEY, uuid4().bytes)])
            ahead = deque(sorted(offset for offset in set(offsets) if 0 <= offset < (end or 0)))
            async for record in _read(consumer, TopicPartition(topic, partition), ahead, stall_s):
                yield record
    except KafkaError as error:
        raise TransientError(f"reading {topic}: {type(error).__name__}") from error
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, tp: TopicPartition, ahead: deque[int], stall_s: float
) -> AsyncIterator[Record]:
    consumer.assign([tp])
    place, progress_at_s = -_READ_THROUGH, time.monotonic()
    while ahead:
        if ahead[0] >= place + _READ_THROUGH:
            consumer.seek(tp, ahead[0])
        fetched = records_of((await consumer.getmany(tp, timeout_ms=_POLL_MS)).get(tp, ()))
        for record in fetched:
            place, progress_at_s = record.offset, time.monotonic()
            while ahead and ahead[0] < record.offset:  # the broker has dropped it
                ahead.popleft()
            if ahead and ahead[0] == record.offset:
                ahead.popleft()
                yield record
        if time.monotonic() - progress_at_s > stall_s:
            raise TransientError(f"{tp.topic} partition {tp.partition}: nothing for {stall_s:.0f} s")
