"""Log files of child processes, bounded in size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


class BoundedLog:
    """`NAME.log` and the one before it, `NAME.log.1`; each at most `limit` bytes (and one chunk)."""

    def __init__(self, path: Path, limit: int = 4 * 1024 * 1024) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._limit = limit
        self._file = self._open()

    def write(self, data: bytes) -> None:
        if self._file.tell() + len(data) > self._limit:
            self._file.close()
            os.replace(self._path, self._path.with_name(self._path.name + ".1"))
            self._file = self._open()
        self._file.write(data)
        self._file.flush()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def tail(self, lines: int = 10) -> str:
        """The last lines, for an error message."""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def _open(self) -> BinaryIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        file = os.fdopen(descriptor, "ab")
        file.seek(0, os.SEEK_END)
        return file
