"""Names on the wire: topics, keys, partition count. Explicit strings, never derived from module paths."""

from __future__ import annotations

from typing import NamedTuple

from schemas.envelope import Envelope

PARTITIONS = 24
"""Fixed at creation: the partition of a work item must never change."""

EVENTS = "tieline.events"
HANDOFFS = "tieline.handoffs"
EXCHANGES = "tieline.exchanges"
PROBLEMS = "tieline.problems"
EVIDENCE = "tieline.evidence"
STATE = "tieline.state"
LATE = "tieline.late"
DEAD_LETTERS = "tieline.dead-letters"
MEASURES = "tieline.measures"
SIGNALS = "tieline.signals"

DAY_MS = 24 * 3600 * 1000
RETENTION_MS = 30 * DAY_MS
MAX_RECORD_BYTES = 16 * 1024 * 1024


class Topic(NamedTuple):
    """How one topic is created. All that are keyed by work item have the same number of partitions, so that partition p
    holds the same work items everywhere and one worker owns all of them."""

    name: str
    compacted: bool = False
    max_record_bytes: int = 1024 * 1024
    partitions: int = PARTITIONS

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings for `create_topics`."""
        keep = {"cleanup.policy": "compact"} if self.compacted else {"retention.ms": str(RETENTION_MS)}
        return {**keep, "max.message.bytes": str(self.max_record_bytes)}


TOPICS: tuple[Topic, ...] = (
    Topic(EVENTS),
    Topic(HANDOFFS),
    Topic(EXCHANGES),
    Topic(PROBLEMS),
    Topic(EVIDENCE),
    Topic(STATE, compacted=True, max_record_bytes=MAX_RECORD_BYTES),
    Topic(LATE),
    Topic(DEAD_LETTERS),
    Topic(MEASURES, partitions=1),  # a few records a minute: every partition more would only be polled
    Topic(SIGNALS, partitions=1),  # whoever holds it speaks, and nobody else
)


def work_item_key(process: str, subject: str) -> bytes:
    """`process/subject`. A process name holds no `/`, so the key can be split again."""
    return f"{process}/{subject}".encode()


def event_key(event: Envelope) -> bytes:
    """The key under which an event is produced: that of its work item."""
    return work_item_key(event.process, event.subject)


def split_key(key: bytes) -> tuple[str, str]:
    """(process, subject) of a key.

    Raises: ValueError: not a work item's key.
    """
    process, slash, subject = key.decode().partition("/")
    if not slash or not process or not subject:
        raise ValueError("not a work item key")
    return process, subject
