"""What is on `tieline.events`, read from its beginning."""

from __future__ import annotations

import asyncio
import json

from schemas import topics
from schemas.topics import PARTITIONS
from streams.transport.barrier import read_to_barrier
from streams.transport.batch import Record
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer

Identity = tuple[str, str]


def records(broker: AnyBroker, topic: str = topics.EVENTS, partitions: int = PARTITIONS) -> list[Record]:
    """Every record, in order within a partition."""

    async def read() -> list[Record]:
        async with BatchProducer(broker) as producer:
            found = read_to_barrier(topic, range(partitions), broker=broker, producer=producer)
            return [record async for record in found]

    return asyncio.run(read())


def identities(broker: AnyBroker) -> list[Identity]:
    """(source, id) of every event, as often as it is there."""
    return [identity(record.value or b"") for record in records(broker)]


def identity(event: bytes) -> Identity:
    """(source, id) of an event's canonical bytes."""
    content = json.loads(event)
    return content["source"], content["id"]
