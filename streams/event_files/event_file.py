"""One file of events, whatever its format: canonical bytes come out, or where and why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from schemas.events import Event
from schemas.topics import event_key
from streams.gateway.actors import ActorKey
from streams.gateway.log_import import LogImport, Mapped, Mapping, Skipped
from streams.gateway.log_import.log_file import LogFile
from streams.gateway.log_import.ndjson import read_ndjson


class FileEvent(NamedTuple):
    """An event of the contract: the key of its work item, and its canonical bytes."""

    key: bytes
    payload: bytes
    type: str

    @classmethod
    def of(cls, event: Event) -> FileEvent:
        return cls(event_key(event), event.canonical(), event.type)


class EventFile(Protocol):
    """Iterate once.

    Attributes:
        total_bytes, bytes_read: of the file as it lies on the disk, for progress.
        latest_at: event time of the newest event read so far.
    """

    @property
    def total_bytes(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def latest_at(self) -> datetime | None: ...
    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        """Raises: LogUnreadable: after everything that could be read. ConfigError: not such a file."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What has to be said of files that do not hold Tieline events: the mapping of `tieline import`.

    Attributes:
        process: instead of the mapping's.
        actor_key: the site's key; needed if the mapping has an actor.
    """

    mapping: Mapping | None = None
    process: str | None = None
    actor_key: ActorKey | None = None


class NdjsonFile:
    """One CloudEvent per line; also as .gz or .zst."""

    def __init__(self, path: Path) -> None:
        self._file = LogFile(path)
        self.total_bytes = path.stat().st_size
        self.latest_at: datetime | None = None

    @property
    def bytes_read(self) -> int:
        return self._file.bytes_read

    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        try:
            for found in read_ndjson(self._file):
                if isinstance(found, Skipped):
                    yield found
                    continue
                self.latest_at = max(found.time, self.latest_at or found.time)
                yield FileEvent.of(found)
        finally:
            self._file.close()


class MappedLog:
    """An XES or CSV log, as its mapping says; ids are those that `tieline import` makes."""

    def __init__(self, path: Path, meaning: Meaning) -> None:
        self._log = LogImport(path, meaning.mapping, meaning.process, meaning.actor_key)
        self.total_bytes = self._log.total_bytes

    @property
    def bytes_read(self) -> int:
        return self._log.bytes_read

    @property
    def latest_at(self) -> datetime | None:
        return self._log.counts.last_at

    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        for found in self._log:
            yield FileEvent(*found) if isinstance(found, Mapped) else found
