"""Bringing events onto Kafka in bulk; with a spool on disk where the broker keeps nothing."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from uuid import uuid4

from schemas import topics
from schemas.topics import PARTITIONS
from streams.transport.broker import AnyBroker
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair

CHUNK_EVENTS = 4_000
_SPOOL_SUFFIX = ".events"


class Feed:
    """Produces events to `tieline.events`, each to the partition of its work item.

    With a spool, a chunk is on disk before it is produced, so that an embedded broker that dies loses nothing.
    """

    def __init__(self, producer: BatchProducer, spool: Spool | None = None) -> None:
        self.producer, self.spool = producer, spool
        self._partitions: dict[bytes, int] = {}

    async def send(self, events: Iterable[Pair], sent: Callable[[int], None] = lambda _: None) -> int:
        """Produce all (key, canonical bytes) pairs; returns how many, once all are acknowledged.

        Args:
            sent: told how many events each chunk had, for a progress display.
        Raises: TransientError: the broker is away.
        """
        iterator, total = iter(events), 0
        while chunk := list(islice(iterator, CHUNK_EVENTS)):
            if self.spool is not None:
                await asyncio.to_thread(self.spool.append, chunk)
            await self.send_chunk(chunk)
            total += len(chunk)
            sent(len(chunk))
        return total

    async def send_chunk(self, chunk: list[Pair]) -> None:
        """Produce one chunk, all partitions side by side."""
        by_partition: dict[int, list[Pair]] = defaultdict(list)
        for key, value in chunk:
            by_partition[self._partition(key or b"")].append((key, value))
        await asyncio.gather(
            *(self.producer.produce(topics.EVENTS, number, pairs) for number, pairs in by_partition.items())
        )

    def _partition(self, key: bytes) -> int:
        number = self._partitions.get(key)
        if number is None:
            number = partition_for(key, PARTITIONS)
            if len(self._partitions) < 100_000:
                self._partitions[key] = number
        return number


class Spool:
    """Events on disk that the store may not have yet: one file of `key TAB canonical bytes` lines, synced."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def new(cls, folder: Path) -> Spool:
        """A spool of its own in a data folder."""
        spools = folder / "spool"
        spools.mkdir(exist_ok=True, mode=0o700)
        return cls(spools / f"{uuid4().hex}{_SPOOL_SUFFIX}")

    @classmethod
    def left_in(cls, folder: Path) -> list[Spool]:
        """What earlier feeds left behind, because they or the broker died."""
        return [cls(path) for path in sorted((folder / "spool").glob(f"*{_SPOOL_SUFFIX}"))]

    def append(self, chunk: list[Pair]) -> None:
        """Write a chunk and sync it. Canonical JSON and keys hold no line break or tab."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.writelines((key or b"") + b"\t" + (value or b"") + b"\n" for key, value in chunk)
            file.flush()
            os.fsync(file.fileno())

    def events(self) -> Iterator[Pair]:
        """What was spooled; a torn last line, which nobody was told was safe, is left out."""
        with self.path.open("rb") as file:
            for line in file:
                key, tab, value = line.rstrip(b"\n").partition(b"\t")
                if tab and line.endswith(b"\n"):
                    yield key, value

    def remove(self) -> None:
        """The store has it all."""
        self.path.unlink(missing_ok=True)


@asynccontextmanager
async def feed_to(broker: AnyBroker, folder: Path | None = None) -> AsyncIterator[Feed]:
    """A connected feed; spooling in `folder`, where there is one.

    Raises: TransientError: no broker answers.
    """
    async with BatchProducer(broker) as producer:
        yield Feed(producer, Spool.new(folder) if folder is not None else None)
