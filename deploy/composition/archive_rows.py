"""Events to the archive, those only that it does not hold yet: it counts what arrives, so nothing may arrive twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from clickhouse_connect.driver.client import Client
from pydantic_core import to_json

from schemas.events import Event
from sinks.clickhouse.archive_held import Identity, digest, held_digests
from sinks.clickhouse.insert import insert_rows

_LOOK_UP, _INSERT = 1_000, 20_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event, its canonical bytes, and where it comes from, as in the table `events`.

    Attributes:
        unseen: the archive certainly has nothing like it, so it is not looked up.
    """

    event: Event
    payload: bytes
    received_at: datetime
    topic: str
    partition: int = -1
    offset: int = -1
    unseen: bool = False

    @property
    def identity(self) -> Identity:
        """What the archive is looked up by."""
        return self.event.process, self.event.subject, self.event.source, self.event.id


@dataclass(slots=True)
class ArchiveRows:
    """Collects events and inserts them; call `flush` at the end.

    Attributes:
        added: events that were new, and are acknowledged.
        known: events that the archive had, or that came twice.
    """

    client: Client
    added: int = 0
    known: int = 0
    _waiting: list[Arrived] = field(default_factory=list)

    def add(self, arrived: Arrived) -> None:
        """Take in one event. Raises: ClickHouseError: what was added since the last insert is to be added again."""
        self._waiting.append(arrived)
        if len(self._waiting) >= _INSERT:
            self.flush()

    def flush(self) -> None:
        """Everything added is in the store."""
        fresh = {digest(each.payload): each for each in self._waiting}
        asked = [each.identity for each in fresh.values() if not each.unseen]
        for start in range(0, len(asked), _LOOK_UP):
            for held in held_digests(self.client, asked[start : start + _LOOK_UP]):
                fresh.pop(held, None)
        if fresh:
            insert_rows(self.client, "events", [_row(each) for each in fresh.values()])
        self.added += len(fresh)
        self.known += len(self._waiting) - len(fresh)
        self._waiting.clear()


def _row(arrived: Arrived) -> bytes:
    """As `event_row`, from the bytes that are there already."""
    event = arrived.event
    return to_json(
        {
            "source": event.source,
            "id": event.id,
            "type": event.type,
            "time": event.time,
            "process": event.process,
            "site": event.site,
            "subject": event.subject,
            "sequence": event.sequence,
            "payload": arrived.payload.decode(),
            "received_at": arrived.received_at,
            "topic": arrived.topic,
            "partition": arrived.partition,
            "offset": arrived.offset,
        }
    )
