"""Events to the archive, those only that it does not hold yet: it counts what arrives, so nothing may arrive twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from clickhouse_connect.driver.client import Client

from schemas.events import Event
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.queries.dead_letters import Identity, archived_contents
from sinks.clickhouse.records import event_row

_LOOK_UP, _INSERT = 1_000, 20_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event and where it comes from. `topic`, `partition` and `offset` as in the table `events`."""

    event: Event
    received_at: datetime
    topic: str
    partition: int = -1
    offset: int = -1

    @property
    def content(self) -> tuple[Identity, bytes]:
        """What makes it the same as another."""
        event = self.event
        return (event.process, event.subject, event.source, event.id), event.canonical()


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
        fresh: dict[tuple[Identity, bytes], Arrived] = {}
        for start in range(0, len(self._waiting), _LOOK_UP):
            some = {each.content: each for each in self._waiting[start : start + _LOOK_UP]}
            held = _held(self.client, [identity for identity, _ in some])
            fresh.update({content: each for content, each in some.items() if content not in held | fresh.keys()})
        if fresh:
            insert_rows(self.client, "events", [_row(each) for each in fresh.values()])
        self.added += len(fresh)
        self.known += len(self._waiting) - len(fresh)
        self._waiting.clear()


def _held(client: Client, identities: Sequence[Identity]) -> set[tuple[Identity, bytes]]:
    return archived_contents(client, sorted(set(identities)))


def _row(arrived: Arrived) -> bytes:
    return event_row(
        arrived.event,
        received_at=arrived.received_at,
        topic=arrived.topic,
        partition=arrived.partition,
        offset=arrived.offset,
    )
