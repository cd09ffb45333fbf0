"""Knowing that everything on Kafka has reached the store, without trusting end offsets (wrong on Tansu).

A barrier record is produced into every partition; once a consumer group has committed past it, the group has handled
all that was there before. Both apps skip barriers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from kafka.admin import OffsetSpec
from kafka.structs import TopicPartition

from schemas import topics
from schemas.errors import TransientError
from schemas.topics import PARTITIONS
from streams.apps.topic_admin import admin
from streams.transport.barrier import BARRIER_KEY
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer

INFER_GROUP, SINK_GROUP = "tieline-infer", "tieline-sink"
DERIVED = (
    topics.HANDOFFS,
    topics.EXCHANGES,
    topics.PROBLEMS,
    topics.EVIDENCE,
    topics.STATE,
    topics.LATE,
    topics.DEAD_LETTERS,
)
Offsets = dict[tuple[str, int], int]


def committed(broker: AnyBroker, group: str) -> Offsets:
    """What a consumer group has committed: the next offset of every (topic, partition).

    Raises: TransientError: no broker answers.
    """
    with admin(broker) as client:
        found = client.list_group_offsets(group).get(group, {})
    return {(tp.topic, tp.partition): entry.offset for tp, entry in found.items() if entry.offset >= 0}


def end_offsets(broker: AnyBroker, names: Sequence[str]) -> Offsets:
    """The end of every partition as the broker says. Right on Kafka, not on Tansu.

    Raises: TransientError: no broker answers.
    """
    wanted = {TopicPartition(name, number): OffsetSpec.LATEST for name in names for number in range(PARTITIONS)}
    with admin(broker) as client:
        return {(tp.topic, tp.partition): end.offset for tp, end in client.list_partition_offsets(wanted).items()}


async def barriers(producer: BatchProducer, names: Sequence[str]) -> Offsets:
    """Produce a barrier into every partition of these topics; returns where each partition then ends."""
    places = [(name, number) for name in names for number in range(PARTITIONS)]
    token = str(time.time_ns()).encode()
    offsets = await asyncio.gather(*(producer.produce(name, number, [(BARRIER_KEY, token)]) for name, number in places))
    return {place: offset + 1 for place, offset in zip(places, offsets, strict=True) if offset is not None}


async def drained(
    broker: AnyBroker, producer: BatchProducer, progress: Callable[[int], None] = lambda _: None, stall_s: float = 60.0
) -> None:
    """Return once infer has folded every event that was there, and the sink has stored all that came of it.

    Args:
        progress: told how many records are still ahead.
        stall_s: the longest time without any progress.
    Raises: TransientError: nothing moves. What was sent is safe on Kafka. Operator action: look at the apps' logs.
    """
    events = await barriers(producer, [topics.EVENTS])
    await _passed(broker, INFER_GROUP, events, progress, stall_s)
    # A late event is repaired by way of `tieline.late`: its own barrier comes after it.
    await _passed(broker, SINK_GROUP, events | await barriers(producer, DERIVED), progress, stall_s)


async def _passed(
    broker: AnyBroker, group: str, ends: Offsets, progress: Callable[[int], None], stall_s: float
) -> None:
    least, moved_at_s = -1, time.monotonic()
    while True:
        try:
            reached = await asyncio.to_thread(committed, broker, group)
        except TransientError:  # a broker that has just started has no coordinator for the group yet
            reached = {}
        behind = sum(max(0, end - reached.get(place, 0)) for place, end in ends.items())
        progress(behind)
        if not behind:
            return
        if least < 0 or behind < least:
            least, moved_at_s = behind, time.monotonic()
        if time.monotonic() - moved_at_s > stall_s:
            raise TransientError(f"{group} has not moved for {stall_s:.0f} s, {behind} records are still ahead of it")
        await asyncio.sleep(0.2)
