"""The file that a log is in: its format, unpacked bytes, and how far it has been read."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

import zstandard

from schemas.errors import ConfigError
from streams.gateway.log_import.errors import LogUnreadable

Format = Literal["xes", "csv", "ndjson"]

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW_BYTES = 128 * 1024 * 1024
_PIECE_BYTES, _BITE_BYTES = 16 * 1024, 256
_ENDINGS: dict[str, Format] = {
    ".xes": "xes",
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
READ_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What reading a broken or truncated file raises."""


def format_of(path: Path) -> Format:
    """By the ending of the name, with or without `.gz` or `.zst`.

    Raises: ConfigError: the ending says nothing.
    """
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    for ending, form in _ENDINGS.items():
        if name.endswith(ending):
            return form
    raise ConfigError(
        f"{path}: the ending of the name does not tell the format: rename it to end in .ndjson, or"
        " say `format: xes` or `format: csv` in the mapping"
    )


class LogFile:
    """A file, packed with gzip or zstd or not (told by its first bytes), read from front to back.

    `bytes_read` counts bytes of the file as it lies on the disk, so that progress is honest for packed files too.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._position = 0
        try:
            self._raw: BinaryIO = path.open("rb")
            magic = self._raw.read(4)
            self._raw.seek(0)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        self.stream: IO[bytes] = _unpacked(self._raw, magic)

    @property
    def bytes_read(self) -> int:
        """0 to the size of the file; it runs ahead by a read buffer."""
        if not self._raw.closed:
            self._position = self._raw.tell()
        return self._position

    def chunk(self, size: int) -> bytes:
        """The next bytes, at most `size`; empty at the end. What could be unpacked comes before the error."""
        return cast(bytes, self.stream.read1(size))  # type: ignore[attr-defined]

    def unreadable(self, position: str, error: Exception) -> LogUnreadable:
        """The operator's view of one of `READ_ERRORS`."""
        return LogUnreadable(self.name, position, _reason(error))

    def close(self) -> None:
        """Close the file; `bytes_read` stays what it is."""
        _ = self.bytes_read
        self.stream.close()
        self._raw.close()


def _unpacked(raw: BinaryIO, magic: bytes) -> IO[bytes]:
    if magic.startswith(_GZIP_MAGIC):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if magic == _ZSTD_MAGIC:
        return unpacked_zstd(raw)
    return raw


def unpacked_zstd(packed: BinaryIO) -> IO[bytes]:
    """What one or several zstd frames hold. Reading raises ZstdError: damaged, or it ends within a frame."""
    return io.BufferedReader(_Frames(packed), _PIECE_BYTES)


class _Frames(io.RawIOBase):
    """Not zstandard's own reader: for that one, a file that was cut off within a frame just ends."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._waiting, self._ready = packed, b"", memoryview(b"")
        self._frame = _new_frame()
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if not self._waiting and not self._more():
                return 0
            self._unpack()
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _more(self) -> bool:
        self._waiting = self._packed.read(_PIECE_BYTES)
        if not self._waiting and self._begun:
            raise zstandard.ZstdError("ends within a frame")
        return bool(self._waiting)

    def _unpack(self) -> None:
        # Little at a time: of a bomb, each four bytes become 128 KiB.
        self._begun = True
        some, self._waiting = self._waiting[:_BITE_BYTES], self._waiting[_BITE_BYTES:]
        self._ready = memoryview(self._frame.decompress(some))
        if self._frame.eof:
            self._waiting = self._frame.unused_data + self._waiting
            self._frame, self._begun = _new_frame(), False


def _new_frame() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the gzip file ends too early: it is not complete"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return f"the gzip file is damaged ({error})"
    if isinstance(error, zstandard.ZstdError):
        return "the zstd file is damaged or not complete"
    return f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
