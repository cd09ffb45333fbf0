"""Files as what a replay reads from: cut into the same parts whenever their events are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.errors import ConfigError
from schemas.topics import split_key
from streams.event_files.buckets import Bucket, Line, fill, joined, read_lines
from streams.event_files.event_file import EventFile, Meaning
from streams.event_files.opening import event_files
from streams.event_files.report import FileReport
from streams.gateway.log_import import LogUnreadable, Skipped
from streams.inference.history import MAX_BYTES, MAX_EVENTS
from streams.replay.source import Chunk, WorkItemEvents

_FOLDED = ("tieline.handoff.", "tieline.work_item.", "tieline.communication.", "tieline.problem.")
_MOST_CHUNK_BYTES, _LEAST_CHUNK_BYTES, _CHUNKS = 32 * 1024 * 1024, 256 * 1024, 64
_SAY_EVERY = 1_000
Progress = Callable[[int, int], None]
"""(bytes read, bytes in all)."""


@dataclass(frozen=True)
class FileSource:
    """A `Source` of files that were read already: their events lie by work item in a temporary folder.

    Attributes:
        name: names of the files without their folders, and a digest of their events, whatever their order.
        newest_at: event time of the newest event.
    """

    name: str
    folder: Path
    newest_at: datetime | None
    parts: tuple[Chunk, ...]

    def latest_at(self) -> datetime | None:
        """Event time of the newest event."""
        return self.newest_at

    def chunks(self) -> Sequence[Chunk]:
        """Parts by hash of the work item; their ids name the digest of the files' events."""
        return self.parts

    def read(self, chunk: Chunk) -> Iterator[WorkItemEvents]:
        """The work items of one part, by key. Memory: the largest bucket, at most 32 MiB or one work item.

        Raises: ConfigError: the temporary folder is gone.
        """
        for name in chunk.first:
            items: dict[bytes, set[bytes]] = {}
            sizes = Counter[bytes]()
            for key, payload in read_lines(self.folder, name):
                contents = items.setdefault(key, set())
                # One more than a work item may have makes it oversize; what is beyond changes nothing.
                if len(contents) <= MAX_EVENTS and sizes[key] <= MAX_BYTES and payload not in contents:
                    contents.add(payload)
                    sizes[key] += len(payload)
            for key in sorted(items):
                yield WorkItemEvents(*split_key(key), sorted(items[key]))


@contextmanager
def open_event_files(
    paths: Sequence[Path],
    meaning: Meaning | None = None,
    *,
    report: FileReport | None = None,
    progress: Progress = lambda read, total: None,
    folder: Path | None = None,
) -> Iterator[FileSource]:
    """Read files once and lay their events out by work item, for as long as the source is used.

    Args:
        meaning: for files that do not hold Tieline events.
        report: grows while the files are read; what cannot be used is left out and noted there.
        folder: where the temporary folder is made; it takes about a tenth of the unpacked events.
    Raises: ConfigError: a file is not what its name says, two files have one name, or nothing could be used.
    """
    report = report or FileReport()
    paths = [path.resolve() for path in paths]
    if len({path.name for path in paths}) != len(paths):
        raise ConfigError("two files have the same name: give each a name of its own")
    with TemporaryDirectory(prefix="tieline-files-", dir=folder) as made:
        lines = _Lines(list(event_files(paths, meaning or Meaning(), report)), report, progress)
        buckets = fill(Path(made), lines, _MOST_CHUNK_BYTES)
        names = ", ".join(sorted(path.name for path in paths))
        digest = lines.digest()
        yield FileSource(f"{names} ({digest})", Path(made), lines.latest_at, tuple(_chunks(buckets, digest)))


class _Lines:
    """All events of the files; counts, and sums up what they say."""

    def __init__(self, files: Sequence[tuple[str, EventFile]], report: FileReport, progress: Progress) -> None:
        self._files, self._report, self._progress = files, report, progress
        self._sum = 0
        self.latest_at: datetime | None = None

    def digest(self) -> str:
        """Of all contents, whatever their order: the sum of their hashes."""
        return f"{self._sum % 2**128:032x}"

    def __iter__(self) -> Iterator[Line]:
        total, done = sum(file.total_bytes for _, file in self._files), 0
        for name, file in self._files:
            try:
                yield from self._of(name, file, done, total)
            except LogUnreadable as unreadable:
                self._report.unreadable.append(unreadable)
            done += file.total_bytes
            self._progress(done, total)
            if file.latest_at is not None:
                self.latest_at = max(file.latest_at, self.latest_at or file.latest_at)

    def _of(self, name: str, file: EventFile, done: int, total: int) -> Iterator[Line]:
        for number, found in enumerate(file):
            if number % _SAY_EVERY == 0:
                self._progress(done + file.bytes_read, total)
            if isinstance(found, Skipped):
                self._report.leave_out(name, found.where, found.reason)
            elif not found.type.startswith(_FOLDED):
                self._report.not_folded += 1
            else:
                self._report.events += 1
                self._sum += int.from_bytes(blake2b(found.payload, digest_size=16).digest())
                yield found.key, found.payload


def _chunks(buckets: Sequence[Bucket], digest: str) -> Iterator[Chunk]:
    size = min(max(sum(bucket.size for bucket in buckets) // _CHUNKS, _LEAST_CHUNK_BYTES), _MOST_CHUNK_BYTES)
    for group in joined(buckets, size):
        names = tuple(bucket.name for bucket in group)
        yield Chunk(f"{digest}-{names[0]}-{names[-1]}", sum(bucket.events for bucket in group), first=names)
