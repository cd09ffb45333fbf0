"""From a record to an event, or to the reason why not. Both apps ask here, so both see the same events."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from schemas.dead_letter import DeadLetter, DeadLetterStage, dead_letter_id, payload_hash
from schemas.decoding import decode_with_canonical
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.topics import PARTITIONS, event_key
from streams.transport.batch import Record
from streams.transport.partitioner import partition_for

_LATEST_MS = 7_258_118_400_000  # the year 2200
AHEAD = timedelta(hours=1)
"""How far event time may lie ahead of when the broker got the record; beyond, a clock is wrong."""


def read_event(record: Record, known: Container[bytes] = frozenset()) -> Event:
    """The event that a record of `tieline.events` holds.

    The clock is the record's own timestamp, so that reading it again gives the same answer.

    Args:
        known: keys of work items known to live in this partition; for those the partition is not computed again.
    Raises: InvalidEvent: `empty`, `timestamp` (the record's own: before 1970 or after 2200), `wrong_key`,
        `wrong_partition`, `future`, or what `decode` says.
    """
    return read_content(record, known)[0]


def read_content(record: Record, known: Container[bytes] = frozenset()) -> tuple[Event, bytes]:
    """The event and its canonical bytes, which are most often those of the record.

    Raises: InvalidEvent: as `read_event`.
    """
    if record.value is None:
        raise InvalidEvent("empty")
    if not 0 <= record.timestamp_ms <= _LATEST_MS:
        raise InvalidEvent("timestamp")
    event, content = decode_with_canonical(record.value)
    key = event_key(event)
    if record.key != key:
        raise InvalidEvent("wrong_key")
    if key not in known and partition_of(key) != record.partition:
        raise InvalidEvent("wrong_partition")
    if event.time > received_at(record) + AHEAD:
        raise InvalidEvent("future", "time")
    return event, content


@lru_cache(maxsize=16_384)  # who archives asks for each event of a work item
def partition_of(key: bytes) -> int:
    """Of the events of a work item, and of everything that follows from them."""
    return partition_for(key, PARTITIONS)


def received_at(record: Record) -> datetime:
    """When the broker got the record, as aware UTC; in 1970 or 2200 where its time stamp is none."""
    return datetime.fromtimestamp(min(max(record.timestamp_ms, 0), _LATEST_MS) / 1000, UTC)


def dead_letter(stage: DeadLetterStage, topic: str, record: Record, error: InvalidEvent, payload: bytes) -> DeadLetter:
    """The report of a record that could not be used; it holds nothing of the payload but its hash."""
    return DeadLetter(
        id=dead_letter_id(error.code, topic, record.partition, record.offset, payload),
        stage=stage,
        code=error.code,
        field=error.field,
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        payload_sha256=payload_hash(payload),
        payload_bytes=len(payload),
        at=received_at(record),
    )
