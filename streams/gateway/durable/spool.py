"""Records on disk until they are needed no more: segments, read in the order in which they were written.

```
FOLDER/lock              held by the process that uses the spool
FOLDER/000000000007.seg  frames; a process never appends to a file of an earlier one
FOLDER/mark              segment and offset up to which everything is on Kafka; may lag behind, never ahead
FOLDER/000000000007.corrupt  a segment with damage, kept for whoever wants to look
```
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ConfigError, TransientError
from streams.gateway.durable.frames import Entry, cut

_SEGMENT, _CORRUPT = ".seg", ".corrupt"
_log = logging.getLogger(__name__)
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class Position(NamedTuple):
    """A place in the spool: a segment and an offset in it."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """Records in order, and where the next one is."""

    entries: list[Entry]
    end: Position


class Spool:
    """Blocking; one thread may append while another one reads. `open` first.

    Args:
        max_bytes: of all segments together.
        segment_bytes: a segment that is longer is not appended to any more.

    Attributes:
        damaged_bytes, torn_bytes: found since `open`.
    """

    def __init__(
        self, folder: Path, max_bytes: int, segment_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder, self.damaged_bytes, self.torn_bytes = folder, 0, 0
        self._max_bytes, self._segment_bytes, self._clock = max_bytes, segment_bytes, clock
        self._changing = (
            threading.RLock()
        )  # held while a file is written, so that it is not closed or deleted meanwhile
        self._bytes: dict[int, int] = {}  # what is durable of each segment, oldest first
        self._began_at: dict[int, float] = {}
        self._position = Position(0, 0)
        self._lock = self._file = self._number = -1
        self._next = 1

    def open(self) -> None:
        """Take the folder and find what earlier processes left.

        Raises: ConfigError: another process holds the folder, or it cannot be used. Operator action: one gateway
            per spool folder, owned by the gateway's user.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._find_segments()
        except BlockingIOError:
            self.close()
            raise ConfigError(f"the spool folder {self.folder} is in use by another gateway") from None
        except OSError as error:
            self.close()
            raise ConfigError(f"the spool folder {self.folder} cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the folder; what is in it stays."""
        self._close_segment()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def position(self) -> Position:
        """Where the next record to read is."""
        return self._position

    @property
    def used_bytes(self) -> int:
        """On disk, whether read or not."""
        return sum(self._bytes.copy().values())

    @property
    def depth_bytes(self) -> int:
        """Not read yet."""
        ahead = sum(size for number, size in self._bytes.copy().items() if number >= self._position.segment)
        return max(0, ahead - (self._position.offset if self._position.segment in self._bytes else 0))

    @property
    def oldest_s(self) -> float:
        """Age of the segment with the oldest record that is not read yet, at least as old as that; 0 for none."""
        if not self.depth_bytes:
            return 0.0
        waiting = [at for number, at in self._began_at.copy().items() if number >= self._position.segment]
        return max(0.0, self._clock() - min(waiting, default=self._clock()))

    @property
    def set_aside(self) -> int:
        """How many damaged segments are kept."""
        return sum(1 for _ in self.folder.glob(f"*{_CORRUPT}"))

    def is_ahead(self, before: int) -> bool:
        """Whether something of the segments with smaller numbers is not read yet."""
        segment, offset = self._position
        ahead = {number: size for number, size in self._bytes.copy().items() if segment <= number < before}
        return any(size > (offset if number == segment else 0) for number, size in ahead.items())

    def has_room(self, more_bytes: int) -> bool:
        """Whether so much more fits."""
        return self.used_bytes + more_bytes <= self._max_bytes

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write frames; they are on disk when this returns.

        Raises: TransientError: no room, or the disk refuses. Nothing of it counts as written.
        """
        content = b"".join(pieces)
        with self._changing:
            if not self.has_room(len(content)):
                raise TransientError("the spool is full")
            try:
                self._start_segment(len(content))
                written = self._bytes[self._number]
                self._write(content, written)
                self._bytes[self._number] = written + len(content)
            except OSError as error:
                # After a failed sync the file is not trusted again: what the kernel still holds of it is unknown.
                self._drop_unsynced()
                raise TransientError(f"the spool cannot be written: {error.strerror}") from error

    def read(self, most_bytes: int) -> Batch:
        """The next records, at least one unless there is none.

        Raises: TransientError: the disk refuses.
        """
        position = self._position
        while (segment := self._at_or_after(position)) is not None:
            offset = position.offset if segment == position.segment else 0
            size = self._bytes[segment]
            if offset < size:
                found = cut(self._content(segment, offset, size), most_bytes)
                missing = 0 if found.used else size - offset
                self._report(segment, offset, found.damaged + missing, found.torn)
                position = Position(segment, offset + found.used + missing)
                if found.entries:
                    return Batch(found.entries, position)
            elif segment == self._number or self._at_or_after(Position(segment + 1, 0)) is None:
                break
            else:
                position = Position(segment + 1, 0)
        return Batch([], position)

    def advance(self, position: Position) -> None:
        """Everything before `position` is on Kafka."""
        self._position = position

    def mark(self) -> None:
        """Remember the position over restarts, and delete what is before it."""
        path = self.folder / "mark"
        temporary = path.with_suffix(".new")
        try:
            temporary.write_text(f"{self._position.segment} {self._position.offset}\n")
            temporary.chmod(0o600)
            temporary.replace(path)
        except OSError as error:  # what is read twice is produced twice, and that is harmless
            _log.warning("the spool's mark cannot be written: %s", error.strerror)
        with self._changing:
            self.release(self._position.segment if self.depth_bytes else self.roll())

    def roll(self) -> int:
        """Begin a new segment with the next append; returns its number. All before it will never change."""
        with self._changing:
            self._close_segment()
            return self._next

    def release(self, before: int) -> None:
        """Delete the segments with smaller numbers."""
        with self._changing:
            for number in [number for number in self._bytes if number < before and number != self._number]:
                self._path(number).unlink(missing_ok=True)
                del self._bytes[number], self._began_at[number]

    def rewind(self) -> None:
        """Read again from the first segment there is."""
        self._position = Position(min(self._bytes, default=self._next), 0)

    def _find_segments(self) -> None:
        marked = self._read_mark()
        for path in sorted(self.folder.glob(f"{'[0-9]' * 12}{_SEGMENT}")):
            number, found = int(path.stem), path.stat()
            if number < marked.segment or not found.st_size:
                path.unlink()
            else:
                self._bytes[number], self._began_at[number] = found.st_size, found.st_mtime
        self._next = max([*self._bytes, marked.segment]) + 1
        self._position = marked

    def _read_mark(self) -> Position:
        try:
            segment, offset = (self.folder / "mark").read_text().split()
            return Position(int(segment), int(offset))
        except (OSError, ValueError):
            return Position(0, 0)

    def _start_segment(self, more_bytes: int) -> None:
        if self._file >= 0 and self._bytes[self._number] + more_bytes <= self._segment_bytes:
            return
        self._close_segment()
        number, self._next = self._next, self._next + 1
        self._file = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._number, self._bytes[number], self._began_at[number] = number, 0, self._clock()
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the file's name must survive as well
        finally:
            os.close(folder)

    def _write(self, content: bytes, offset: int) -> None:
        left = memoryview(content)
        while left:
            count = os.pwrite(self._file, left, offset)
            left, offset = left[count:], offset + count
        _sync(self._file)

    def _drop_unsynced(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, self._bytes[self._number])
        self._close_segment()

    def _close_segment(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
        self._file = self._number = -1

    def _content(self, segment: int, offset: int, size: int) -> bytes:
        try:
            with self._path(segment).open("rb") as file:
                file.seek(offset)
                return file.read(size - offset)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise TransientError(f"the spool cannot be read: {error.strerror}") from error

    def _report(self, segment: int, offset: int, damaged: int, torn: int) -> None:
        """Say what is lost; a segment with damage is kept beside the spool."""
        self.torn_bytes += torn
        if torn:
            _log.warning("spool segment %d ends in %d bytes that were never acknowledged", segment, torn)
        if not damaged:
            return
        self.damaged_bytes += damaged
        kept = self._path(segment).with_suffix(_CORRUPT)
        _log.error("spool segment %d: %d bytes after offset %d are damaged; kept as %s", segment, damaged, offset, kept)
        with suppress(OSError):
            os.link(self._path(segment), kept)

    def _at_or_after(self, position: Position) -> int | None:
        return min((number for number in self._bytes.copy() if number >= position.segment), default=None)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}{_SEGMENT}"
