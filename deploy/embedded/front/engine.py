"""chDB in this process: one engine per data folder, a short-lived handle per request.

A handle carries the settings, current database and read-only flag of one request and is thrown away, so that nothing
leaks into the next one. Opening one costs about 0.4 ms. Never fork a process after an `Engine` is open.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, _TemporaryFileWrapper
from typing import Any

from deploy.embedded.front.errors import BAD_ARGUMENTS, LOGICAL_ERROR, StoreError
from deploy.embedded.front.statement import InsertHead

MIB = 1024 * 1024
SERVER_OPTIONS: Mapping[str, int] = {
    "max_server_memory_usage": 640 * MIB,
    "mark_cache_size": 32 * MIB,
    "index_mark_cache_size": 8 * MIB,
    "primary_index_cache_size": 32 * MIB,
    "query_condition_cache_size": 8 * MIB,
    "compiled_expression_cache_size": 8 * MIB,
    "parquet_metadata_cache_size": MIB,
    "iceberg_metadata_files_cache_size": MIB,
    "vector_similarity_index_cache_size": MIB,
    "text_index_tokens_cache_size": MIB,
    "text_index_header_cache_size": MIB,
    "text_index_postings_cache_size": MIB,
    "mmap_cache_size": 16,
    "max_thread_pool_size": 256,
    "max_thread_pool_free_size": 8,
    "max_io_thread_pool_size": 8,
    "max_active_parts_loading_thread_pool_size": 2,
    "max_outdated_parts_loading_thread_pool_size": 2,
    "max_parts_cleaning_thread_pool_size": 2,
    "background_schedule_pool_size": 2,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What one statement read and wrote: rows, bytes."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    counts: Counts


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise StoreError.from_engine(error) from None


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handle:
    """One request's connection. Blocking, one thread at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._stream: Any = None
        self._busy = threading.RLock()  # closing waits for the statement that runs

    def configure(self, settings: Mapping[str, str]) -> None:
        if settings:
            self.query("SET " + ", ".join(f"{name} = {_text(value)}" for name, value in settings.items()), "Null")

    def use(self, database: str) -> None:
        self.query("USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`", "Null")

    def statement_count(self, sql: str) -> int:
        """How many statements the text holds, by the engine's parser; 0 if it does not parse."""
        with self._busy, _engine_errors():
            return int(self._connection.classify_query(sql)["statement_count"])

    def query(self, sql: str, output_format: str, params: Mapping[str, str] | None = None) -> Answer:
        with self._busy, _engine_errors():
            result = self._connection.query(sql, output_format, params=dict(params or {}))
        return Answer(bytes(result.bytes()), _counts(result))

    def value(self, sql: str, params: Mapping[str, str] | None = None) -> str:
        """The single cell that `sql` answers, as text."""
        return self.query(sql, "TSVRaw", params).body.decode().removesuffix("\n")

    def stream(self, sql: str, output_format: str, params: Mapping[str, str]) -> Iterator[Answer]:
        """Chunks of whole blocks, as the engine makes them."""
        with self._busy, _engine_errors():
            self._stream = self._connection.send_query(sql, output_format, params=dict(params))
        while True:
            with self._busy, _engine_errors():
                result = self._connection.streaming_fetch_result(self._stream)
            if result is None or result.rows_read() == 0:
                self._stream = None
                return
            yield Answer(bytes(result.bytes()), _counts(result))

    def whole(self, sql: str, output_format: str, params: Mapping[str, str]) -> Iterator[Answer]:
        """The same as one chunk, for formats that cannot be cut (JSON, Arrow) and statements without rows."""
        yield self.query(sql, output_format, params)

    def insert_file(self, insert: InsertHead, path: Path) -> Counts:
        """Insert the rows of a file; returns once they are in the table's parts on disk.

        Not the engine's streaming insert: that one reports success for rows which the engine then refuses.
        """
        return self.query(insert.from_file(_text(os.fspath(path))), "Null").counts

    def close(self) -> None:
        stream, self._stream = self._stream, None
        try:
            with self._busy, _engine_errors():
                if stream is not None:
                    self._connection.streaming_cancel_query(stream)
        except StoreError:
            pass  # a statement that failed by itself has nothing left to cancel
        finally:
            with self._busy:
                self._connection.close()


def _counts(result: Any) -> Counts:
    return Counts(
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        result_rows=result.rows_read(),
    )


class Engine:
    """The engine of one data folder.

    Raises: StoreError: another process has the folder open, or it is not readable.
    """

    def __init__(self, folder: Path, options: Mapping[str, int] = SERVER_OPTIONS) -> None:
        os.environ["TZ"] = "UTC"  # the engine reads its server time zone here, once
        from chdb import _chdb  # takes 0.8 s and 230 MB of mapped file: only where an engine is really opened

        if "?" in str(folder) or "&" in str(folder):
            raise StoreError.refusal(BAD_ARGUMENTS, "the data folder's path must not contain '?' or '&'")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connect: Any = _chdb.connect  # type: ignore[attr-defined]  # compiled, without stubs
        self._path = os.fspath(folder)
        self.incoming = folder.parent / "incoming"
        shutil.rmtree(self.incoming, ignore_errors=True)  # bodies of inserts that a killed process never finished
        self.incoming.mkdir(mode=0o700)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        with _engine_errors():
            self._root = self._connect(
                self._path + "?" + "&".join(f"{name}={value}" for name, value in options.items())
            )
        self.version = Handle(self._root).value("SELECT version()")

    def open(self, settings: Mapping[str, str] | None = None, database: str = "default") -> Handle:
        """A handle with its own settings and current database. The caller closes it."""
        if os.getpid() != self._pid:
            raise StoreError.refusal(LOGICAL_ERROR, "the engine does not survive a fork")
        with self._lock, _engine_errors():
            handle = Handle(self._connect(self._path))
        try:
            handle.configure(settings or {})
            if database not in ("", "default"):
                handle.use(database)
        except StoreError:
            handle.close()
            raise
        return handle

    @contextmanager
    def handle(self) -> Iterator[Handle]:
        opened = self.open()
        try:
            yield opened
        finally:
            opened.close()

    def incoming_file(self) -> _TemporaryFileWrapper[bytes]:
        """A file for the rows of one insert; gone when it is closed."""
        return NamedTemporaryFile(dir=self.incoming, prefix="insert-")

    def detached_parts(self) -> list[str]:
        """Parts that the engine set aside because it could not read them: rows that are missing from their tables."""
        with self.handle() as handle:
            text = handle.value(
                "SELECT concat(database, '.', table, '/', name, ' (', ifNull(reason, ''), ')')"
                " FROM system.detached_parts ORDER BY 1"
            )
        return text.split("\n") if text else []

    def cancel_queries(self) -> None:
        """Ask every running statement to end; it then fails with QUERY_WAS_CANCELLED (394)."""
        with self.handle() as handle:
            handle.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null")

    def warm(self) -> None:
        """Pay for the first insert (0.4 s) before anyone waits for it."""
        with self.handle() as handle:
            handle.query("CREATE TABLE IF NOT EXISTS default.warmth (at UInt8) ENGINE = MergeTree ORDER BY at", "Null")
            with self.incoming_file() as file:
                file.write(b"1\n")
                file.flush()
                handle.insert_file(InsertHead("INSERT INTO default.warmth (at)", "", "CSV", b""), Path(file.name))
            handle.query("DROP TABLE default.warmth", "Null")

    def close(self) -> None:
        self._root.close()
