"""Retrying dead letters: the record that was refused goes through the edge again, and is produced again if it fits now.

Nothing is ever taken from a letter itself: it holds no payload. The record is read back from where it was refused, and
must have the letter's hash. An event that is produced twice is one event, so retrying twice is harmless.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from clickhouse_connect.driver.client import Client

from deploy.composition.feed import Feed
from deploy.composition.read_back import read_back
from schemas import topics
from schemas.dead_letter import DeadLetter, payload_hash
from schemas.errors import InvalidEvent
from schemas.topics import PARTITIONS, split_key
from sinks.clickhouse.queries.dead_letters import Identity, archived_contents
from streams.gateway.edge import Edge, Sealed
from streams.transport.batch import Record
from streams.transport.broker import AnyBroker

CHUNK_LETTERS = 500

Outcome = Literal["sent", "used", "invalid", "gone", "decided", "never_kept", "derived"]
OUTCOMES: dict[Outcome, str] = {
    "sent": "produced again",
    "used": "used already: an earlier retry or another delivery brought it",
    "invalid": "still invalid; nothing was produced",
    "gone": "no longer on Kafka; the source has to deliver it again",
    "decided": "not retried: the work item is full, or another content of the event counts, whatever is sent again",
    "never_kept": "refused before it was written down, so nothing of it was kept; the source has to deliver it again",
    "derived": "a row that the store refused, not an event; it is made again from its events",
}
_DECIDED = frozenset({"conflict", "oversize"})


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one letter; `code` and `field` say why it is still invalid."""

    letter: DeadLetter
    outcome: Outcome
    code: str = ""
    field: str = ""


class Retry:
    """One go over dead letters.

    Args:
        client: of the store, which knows what has been used since.
        feed: where events go; its producer also tells how far partitions reach.
        now: what event times are compared with.
        dry_run: find out everything, produce no event.
    """

    def __init__(
        self, client: Client, edge: Edge, feed: Feed, broker: AnyBroker, now: datetime, *, dry_run: bool = False
    ) -> None:
        self._client, self._edge, self._feed, self._broker = client, edge, feed, broker
        self._now, self._dry_run = now, dry_run

    async def run(self, letters: Iterable[DeadLetter]) -> AsyncIterator[Retried]:
        """What became of each letter, chunk by chunk; those that are `sent` are acknowledged by then.

        Raises: TransientError: the broker is away. Run it again: what was sent is found to be used.
        """
        iterator = iter(letters)
        while chunk := list(islice(iterator, CHUNK_LETTERS)):
            for retried in await self._chunk(chunk):
                yield retried

    async def _chunk(self, letters: list[DeadLetter]) -> list[Retried]:
        records = await self._records([letter for letter in letters if _unreadable(letter) is None])
        outcomes: list[Sealed | InvalidEvent | Outcome] = [
            _unreadable(letter) or records.get(letter.id) or "gone" for letter in letters
        ]
        fresh = [outcome for outcome in outcomes if isinstance(outcome, Sealed)]
        used = await self._used(fresh)
        pairs = dict.fromkeys((event.key, event.value) for event in fresh if _content(event) not in used)
        if not self._dry_run:
            await self._feed.send(pairs)
        return [_retried(letter, outcome, used) for letter, outcome in zip(letters, outcomes, strict=True)]

    async def _records(self, letters: list[DeadLetter]) -> dict[str, Sealed | InvalidEvent]:
        """By id of the letter; sealed at once, so that only what is valid is held."""
        at: dict[tuple[int, int], list[DeadLetter]] = defaultdict(list)
        wanted: dict[int, set[int]] = defaultdict(set)
        for letter in letters:
            at[letter.partition, letter.offset].append(letter)
            wanted[letter.partition].add(letter.offset)
        found: dict[str, Sealed | InvalidEvent] = {}
        reading = read_back(topics.EVENTS, wanted, broker=self._broker, producer=self._feed.producer)
        async for record in reading:
            same = [letter for letter in at[record.partition, record.offset] if _is_of(record, letter)]
            if same:
                found.update(dict.fromkeys([letter.id for letter in same], self._seal(record)))
        return found

    def _seal(self, record: Record) -> Sealed | InvalidEvent:
        if record.value is None:
            return InvalidEvent("empty")
        return self._edge.seal_events([record.value], now=self._now)[0]

    async def _used(self, events: list[Sealed]) -> set[tuple[Identity, bytes]]:
        identities = sorted({_content(event)[0] for event in events})
        return await asyncio.to_thread(archived_contents, self._client, identities)


def _unreadable(letter: DeadLetter) -> Outcome | None:
    """Why there is nothing to read back; None: there may be a record."""
    if letter.code in _DECIDED:
        return "decided"
    if letter.topic != topics.EVENTS or letter.offset < 0 or not 0 <= letter.partition < PARTITIONS:
        return "derived" if letter.stage == "sink" else "never_kept"
    return None


def _is_of(record: Record, letter: DeadLetter) -> bool:
    """Whether it is the record that was refused: a fresh broker counts its offsets from 0 again."""
    value = record.value or b""
    return len(value) == letter.payload_bytes and payload_hash(value) == letter.payload_sha256


def _content(event: Sealed) -> tuple[Identity, bytes]:
    return (*split_key(event.key), event.source, event.id), event.value


def _retried(
    letter: DeadLetter, outcome: Sealed | InvalidEvent | Outcome, used: set[tuple[Identity, bytes]]
) -> Retried:
    if isinstance(outcome, InvalidEvent):
        return Retried(letter, "invalid", outcome.code, outcome.field)
    if isinstance(outcome, Sealed):
        return Retried(letter, "used" if _content(outcome) in used else "sent")
    return Retried(letter, outcome)
