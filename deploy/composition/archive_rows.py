"""Events to the archive, those only that it does not hold yet: views count what arrives there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client
from pydantic_core import to_json

from schemas.events import Event
from sinks.clickhouse.archive_held import Identity, digest, held_days, held_digests
from sinks.clickhouse.insert import insert_rows

_TOGETHER = 50_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where an event comes from, as in the table `events`."""

    received_at: datetime
    topic: str
    partition: int = -1
    offset: int = -1


class ArchiveRows:
    """Collects events and inserts them; call `flush` at the end.

    Days of a process that the archive has nothing of when this begins are not looked up; of those, an event that comes
    twice, far apart, is written twice, which is one row.

    Attributes:
        added: events that were new, and are acknowledged.
        known: events that the archive had, or that came twice.
    Memory: 50,000 rows.
    """

    def __init__(self, client: Client) -> None:
        self.added = self.known = 0
        self._client = client
        self._held = held_days(client)
        self._rows: dict[str, bytes] = {}
        self._asked: list[Identity] = []

    def add(self, event: Event, payload: bytes, arrived: Arrived) -> None:
        """Take in one event with its canonical bytes. Raises: ClickHouseError: start again, what was written stays."""
        name = digest(payload)
        if name in self._rows:
            self.known += 1
            return
        self._rows[name] = _row(event, payload, arrived)
        if (event.process, event.time.date()) in self._held:
            self._asked.append((event.process, event.subject, event.source, event.id))
        if len(self._rows) >= _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Everything added is in the store."""
        fresh = self._rows
        taken = len(fresh)
        for held in held_digests(self._client, self._asked):
            fresh.pop(held, None)
        if fresh:
            insert_rows(self._client, "events", list(fresh.values()))
        self.added += len(fresh)
        self.known += taken - len(fresh)
        self._rows, self._asked = {}, []


def _row(event: Event, payload: bytes, arrived: Arrived) -> bytes:
    """As `event_row`, from the bytes that are there already."""
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
            "payload": payload.decode(),
            "received_at": arrived.received_at,
            "topic": arrived.topic,
            "partition": arrived.partition,
            "offset": arrived.offset,
        }
    )
