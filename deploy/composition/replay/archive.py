"""The archive as a source of replays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigError
from sinks.clickhouse.archive_reader import (
    CHUNK_EVENTS,
    ENDLESS,
    KeyRange,
    Part,
    Period,
    cut,
    gaps,
    newest_work_at,
    read_range,
)
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.replay.source import Chunk, WorkItemEvents

ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """Archived events; pickles, and connects where it is used.

    Attributes:
        process: only this one; empty: all.
        period: work items without an event in it may be left out.
        done: ids of chunks that need not be read any more, of an earlier cut.
    """

    clickhouse: ClickHouseSettings
    process: str = ""
    period: Period = ENDLESS
    done: tuple[str, ...] = ()
    chunk_events: int = CHUNK_EVENTS

    @property
    def name(self) -> str:
        """Of the source, in `runs`."""
        return ARCHIVE

    def latest_at(self) -> datetime | None:
        """See `Source`."""
        return newest_work_at(_client(self.clickhouse), self.process)

    def chunks(self) -> Sequence[Chunk]:
        """What is left, in ranges of work items. The archive may have grown since `done` was read: the ids of chunks
        say which ranges they were, and the new cut fits in between."""
        parts = cut(_client(self.clickhouse), self.process, self.chunk_events)
        return [_chunk(part) for part in gaps(parts, [keys_of(chunk) for chunk in self.done])]

    def left(self) -> list[KeyRange]:
        """All work items that are not `done`, in as few ranges as that takes."""
        done = [keys_of(chunk) for chunk in self.done]
        whole = {keys_of(chunk.id).process for chunk in self.chunks()} | {keys.process for keys in done}
        return [part.keys for part in gaps([Part(KeyRange(process), 0) for process in sorted(whole)], done)]

    def read(self, chunk: Chunk) -> Iterator[WorkItemEvents]:
        """See `Source`."""
        keys = keys_of(chunk.id)
        for subject, payloads in read_range(_client(self.clickhouse), keys, self.period):
            yield WorkItemEvents(keys.process, subject, payloads)


def keys_of(chunk_id: str) -> KeyRange:
    """The work items that a chunk of the archive holds.

    Raises: ConfigError: it is none.
    """
    try:
        process, first, last = map(str, json.loads(chunk_id))
    except ValueError:
        raise ConfigError("the run was not made from the archive") from None
    return KeyRange(process, first, last)


def _chunk(part: Part) -> Chunk:
    keys = part.keys
    return Chunk(json.dumps(list(keys), ensure_ascii=False), part.events, (keys.process, keys.first), (keys.last,))


@lru_cache(maxsize=4)
def _client(settings: ClickHouseSettings) -> Client:
    return connect(settings)
