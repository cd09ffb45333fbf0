"""Events in Parquet: one file of one day, its bytes decided by its rows alone.

The column `payload` holds the canonical event and is the only one that is ever read back; the others are for people who
look into the file with other software.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.decoding import decode
from schemas.errors import ConfigError, InvalidEvent
from schemas.events import Event
from streams.event_files.event_file import FileEvent
from streams.event_files.parquet_pages import DATA_PAGES, PLAIN, pages
from streams.gateway.log_import import Skipped

PAYLOAD = "payload"
SCHEMA = pa.schema(
    [
        pa.field("process", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("site", pa.string(), nullable=False),
        pa.field("sequence", pa.uint64(), nullable=False),
        pa.field(PAYLOAD, pa.string(), nullable=False),
    ]
)
ROWS_TOGETHER = 20_000
BYTES_TOGETHER = 32 * 1024 * 1024
_REPEATED = ["process", "subject", "source", "type", "site"]
_COMPRESSION_LEVEL = 6
_READ_ROWS = 1_000
# What we write stays below by more than half: an event has at most 256 KiB.
_MOST_UNPACKED = 4 * BYTES_TOGETHER
_FOOTER_STRING_BYTES, _FOOTER_PARTS = 16 * 1024 * 1024, 1_000_000


class ParquetWriter:
    """Writes rows in the order given. Row groups are cut by rows and bytes only, so equal rows give equal files.

    Attributes:
        rows, size, sha256: of what was written; the last two are there once it is closed.
    """

    def __init__(self, path: Path) -> None:
        self.rows, self.size, self.sha256 = 0, 0, ""
        self._file = _Hashed(path)
        self._writer = pq.ParquetWriter(
            self._file,
            SCHEMA,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            use_dictionary=_REPEATED,
            write_statistics=["time"],
            store_schema=False,
        )
        self._waiting: list[Any] = []
        self._waiting_rows = self._waiting_bytes = 0

    def add(self, batch: Any) -> None:
        """Take in a RecordBatch of `SCHEMA`; a whole row group is written at once."""
        ends = np.cumsum(pc.binary_length(batch.column(PAYLOAD)).to_numpy(zero_copy_only=False), dtype=np.int64)
        start = taken = 0
        while start < len(ends):
            fits = int(np.searchsorted(ends, taken + BYTES_TOGETHER - self._waiting_bytes, side="right"))
            end = min(fits, start + ROWS_TOGETHER - self._waiting_rows, len(ends))
            if end == start and not self._waiting:
                end += 1  # one event alone is larger than a group may be
            if end > start:
                self._waiting.append(batch.slice(start, end - start))
                self._waiting_rows += end - start
                self._waiting_bytes += int(ends[end - 1]) - taken
                start, taken = end, int(ends[end - 1])
            if end < len(ends):
                self._write()

    def _write(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, SCHEMA).combine_chunks()
            self._writer.write_table(table, row_group_size=table.num_rows)
            self.rows += table.num_rows
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def close(self) -> None:
        """Write the rest; returns once the disk has it."""
        self._write()
        self._writer.close()
        self.size, self.sha256 = self._file.finish()


class _Hashed:
    """A new file, readable by its owner only, that is hashed while it is written."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._hash = hashlib.sha256()
        self.closed = False

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The writer's idea of an end; `finish` is ours."""

    def finish(self) -> tuple[int, str]:
        size = self._file.tell()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return size, self._hash.hexdigest()


def read_payloads(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """The number of a row, from 1, and its payload.

    Raises: ConfigError: not a file that `ParquetWriter` may have written, or it would unpack to more than it may.
    Memory: 128 MiB at most, in practice one row group, 10 MiB for events of 400 bytes.
    """
    try:
        parquet = pq.ParquetFile(
            file, thrift_string_size_limit=_FOOTER_STRING_BYTES, thrift_container_size_limit=_FOOTER_PARTS
        )
        _check(file, parquet.metadata)
        number = 0
        for batch in parquet.iter_batches(batch_size=_READ_ROWS, columns=[PAYLOAD], use_threads=False):
            for payload in batch.column(0).cast(pa.binary()).to_pylist():
                number += 1
                yield number, payload
    except (pa.ArrowException, ValueError, OSError, AttributeError):
        raise ConfigError(f"{name}: not a Parquet file of exported events, or damaged") from None


def _check(file: BinaryIO, metadata: Any) -> None:
    """Raises: ValueError."""
    schema = metadata.schema
    place = [number for number in range(metadata.num_columns) if schema.column(number).path == PAYLOAD]
    if len(place) != 1 or schema.column(place[0]).physical_type != "BYTE_ARRAY":
        raise ValueError("no payload")
    column = schema.column(place[0])
    if column.max_definition_level or column.max_repetition_level or str(column.logical_type) != "String":
        raise ValueError("another kind of payload")
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if group.num_rows > ROWS_TOGETHER:
            raise ValueError("too many rows together")
        _check_pages(file, group.column(place[0]))


def _check_pages(file: BinaryIO, chunk: Any) -> None:
    if chunk.dictionary_page_offset:  # one long value might stand in a million rows
        raise ValueError("a dictionary of payloads")
    unpacked = 0
    for page in pages(file, chunk.data_page_offset, chunk.total_compressed_size):
        unpacked += page.unpacked
        if page.kind not in DATA_PAGES or page.encoding != PLAIN or unpacked > _MOST_UNPACKED:
            raise ValueError("pages that nobody of us wrote")


def checked_event(payload: bytes) -> Event:
    """The event of a row. Raises: InvalidEvent: not an event, or not in its canonical bytes."""
    event = decode(payload)
    if event.canonical() != payload:
        raise InvalidEvent("not_canonical")
    return event


class ParquetFile:
    """One exported file as an `EventFile`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.total_bytes = path.stat().st_size
        self.bytes_read = 0
        self.latest_at: datetime | None = None

    def __iter__(self) -> Iterator[FileEvent | Skipped]:
        with self._path.open("rb") as file:
            for number, payload in read_payloads(file, self._path.name):
                self.bytes_read = min(file.tell(), self.total_bytes)
                try:
                    event = checked_event(payload)
                except InvalidEvent as error:
                    yield Skipped(error.code, f"row {number}, {error.field}" if error.field else f"row {number}")
                    continue
                self.latest_at = max(event.time, self.latest_at or event.time)
                yield FileEvent.of(event)
