"""Filling the archive from Kafka: everything that `tieline.events` still has, up to now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client

from deploy.composition.archive_rows import ArchiveRows, Arrived
from deploy.composition.drain import barriers
from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.topics import PARTITIONS
from sinks.clickhouse.insert import insert_rows
from streams.apps.intake import dead_letter, read_event, received_at
from streams.transport.barrier import read_to_barrier
from streams.transport.batch import Record
from streams.transport.broker import AnyBroker
from streams.transport.producer import BatchProducer

_SAY_EVERY = 1_000
_TOGETHER = 10_000
Progress = Callable[[int, int], None]
"""(offsets passed, offsets in all)."""


@dataclass(slots=True)
class Backfilled:
    """What was read.

    Attributes:
        records: of all partitions, without barriers.
        added, known: events that the archive did not have, and had.
        refused: records that are no usable events, by code; each is a dead letter, with the id that `infer` gave it.
    """

    records: int = 0
    added: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)


async def backfill(client: Client, broker: AnyBroker, progress: Progress = lambda done, of: None) -> Backfilled:
    """Read the whole topic and write what the archive lacks. Takes no part in any group; safe to repeat.

    Raises: TransientError: the broker is away or stalled. ClickHouseError: the store. Run it again.
    """
    reading = _Reading(client)
    async with BatchProducer(broker) as producer:
        ends = {partition: end for (_, partition), end in (await barriers(producer, [topics.EVENTS])).items()}
        passed = dict.fromkeys(ends, 0)
        every = range(PARTITIONS)
        async for record in read_to_barrier(topics.EVENTS, every, broker=broker, producer=producer):
            await reading.take(record)
            passed[record.partition] = min(record.offset + 1, ends[record.partition])
            if reading.found.records % _SAY_EVERY == 0:
                progress(sum(passed.values()), sum(ends.values()))
    await reading.finish()
    progress(sum(ends.values()), sum(ends.values()))
    return reading.found


class _Reading:
    """Decodes in the loop and writes in a thread, one after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rows = ArchiveRows(client)
        self._letters: list[DeadLetter] = []
        self._taken: list[tuple[Event, Arrived]] = []
        self.found = Backfilled()

    async def take(self, record: Record) -> None:
        self.found.records += 1
        try:
            event = read_event(record)
        except InvalidEvent as error:
            self.found.refused[error.code] += 1
            # As `infer` reports it: the same record has the same id, so it is one letter however often it is told.
            self._letters.append(dead_letter("infer", topics.EVENTS, record, error, record.value or b""))
        else:
            arrived = Arrived(received_at(record), topics.EVENTS, record.partition, record.offset)
            self._taken.append((event, arrived))
        if len(self._taken) + len(self._letters) >= _TOGETHER:
            await asyncio.to_thread(self._write)

    async def finish(self) -> None:
        """Everything taken is in the store."""
        await asyncio.to_thread(self._write)
        await asyncio.to_thread(self._rows.flush)
        self.found.added, self.found.known = self._rows.added, self._rows.known

    def _write(self) -> None:
        for event, arrived in self._taken:
            self._rows.add(event, event.canonical(), arrived)
        if self._letters:
            insert_rows(self._client, "dead_letters", [letter.model_dump_json().encode() for letter in self._letters])
        self._taken, self._letters = [], []
