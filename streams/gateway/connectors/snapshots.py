"""Snapshots in one SQLite file: what a source's resources looked like when they were last told.

Only a memory: whoever loses it tells some things again, under the same ids. So a file that cannot be read is put aside,
a write that fails is counted, and neither stops the intake.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

DAY_S = 86400.0
MAX_SNAPSHOTS = 200_000
MAX_AGE_S = 180 * DAY_S
MAX_SNAPSHOT_BYTES = 16_384
_TRIM_EVERY = 256
"""Commits between two looks at age and count."""
_TRIM_ROWS = 2_000
"""At a time, so that no delivery waits for a large clean-up."""
_VERSION = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS snapshots (
    source TEXT NOT NULL, resource TEXT NOT NULL, place TEXT NOT NULL, kept_at REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (source, resource)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS snapshots_by_age ON snapshots (kept_at);
"""
# Two deliveries may be under way at once: the older version of a resource never takes the place of the newer one.
# Numbers (`#…`) and times cannot be compared.
_KEEP = """
INSERT INTO snapshots VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, resource)
DO UPDATE SET place = excluded.place, kept_at = excluded.kept_at, body = excluded.body
WHERE excluded.place >= place OR excluded.place = '' OR (excluded.place GLOB '#*') <> (place GLOB '#*')
"""


class SnapshotStore:
    """The snapshots of all sources of one gateway. May be used by several threads.

    A killed process loses nothing that was committed; a machine without power perhaps the last commits, never the file.

    Attributes:
        failures: how often the file could not be read or written; what it would have said is told again.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_snapshots: int = MAX_SNAPSHOTS,
        max_age_s: float = MAX_AGE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the file, or make it, readable by its owner only.

        Args:
            max_age_s: since a resource was last kept.
            clock: seconds since 1970.
        Raises: OSError: the folder cannot be written.
        """
        self._path, self._max_snapshots, self._max_age_s, self._clock = path, max_snapshots, max_age_s, clock
        self._lock = threading.Lock()
        self._commits = 0
        self.failures = 0
        self._database = self._open()

    def of(self, source: str) -> SourceSnapshots:
        """The snapshots of one source, for one delivery."""
        return SourceSnapshots(self, source)

    def __len__(self) -> int:
        with self._lock:
            found: int = self._database.execute("SELECT count(*) FROM snapshots").fetchone()[0]
            return found

    def close(self) -> None:
        """Nothing may be asked or kept after that."""
        with self._lock:
            self._database.close()

    def read(self, source: str, resource: str) -> Mapping[str, object] | None:
        """The last one committed; None if there is none, or it cannot be read. Cost: 10 µs."""
        try:
            with self._lock:
                row = self._database.execute(
                    "SELECT body FROM snapshots WHERE source = ? AND resource = ?", (source, resource)
                ).fetchone()
            found = json.loads(row[0]) if row else None
        except (sqlite3.Error, ValueError) as error:
            self._failed("read", error)
            return None
        return found if isinstance(found, dict) else None

    def write(self, source: str, snapshots: Mapping[str, Mapping[str, object]]) -> bool:
        """All of them or none. Returns: whether they are kept. Cost: 50 µs, and 10 µs for each."""
        kept_at = self._clock()
        bodies = {resource: json.dumps(snapshot, separators=(",", ":")) for resource, snapshot in snapshots.items()}
        small = [
            (source, resource, _place(snapshots[resource]), kept_at, body)
            for resource, body in bodies.items()
            if len(body) <= MAX_SNAPSHOT_BYTES
        ]
        large = [(source, resource) for resource, body in bodies.items() if len(body) > MAX_SNAPSHOT_BYTES]
        try:
            with self._lock, self._database:
                self._database.executemany(_KEEP, small)
                self._database.executemany("DELETE FROM snapshots WHERE source = ? AND resource = ?", large)
                self._commits += 1
                if self._commits % _TRIM_EVERY == 0:
                    self._trim(kept_at)
        except (sqlite3.Error, ValueError) as error:
            self._failed("written", error)
            return False
        return True

    def trim(self) -> None:
        """Forget what is too old or too many, the oldest first, at most 2,000 at a time; happens by itself as well."""
        with self._lock, self._database:
            self._trim(self._clock())

    def _trim(self, now: float) -> None:
        oldest = (
            "DELETE FROM snapshots WHERE (source, resource) IN"
            " (SELECT source, resource FROM snapshots WHERE kept_at < ? ORDER BY kept_at LIMIT ?)"
        )
        self._database.execute(oldest, (now - self._max_age_s, _TRIM_ROWS))
        (count,) = self._database.execute("SELECT count(*) FROM snapshots").fetchone()
        if count > self._max_snapshots:
            self._database.execute(oldest, (float("inf"), min(_TRIM_ROWS, count - self._max_snapshots)))

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            self._failed("opened", error)
        self._put_aside()
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        database = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA cache_size = -2000")  # 2 MB
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                database.execute("DROP TABLE IF EXISTS snapshots")
            database.executescript(_TABLE)
            database.execute(f"PRAGMA user_version = {_VERSION}")
            database.execute("SELECT * FROM snapshots LIMIT 1").fetchone()
        except BaseException:
            database.close()
            raise
        return database

    def _put_aside(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(f"{self._path}{ending}", f"{self._path}.damaged{ending}")

    def _failed(self, what: str, error: Exception) -> None:
        # The text of an error may repeat what is in the file.
        self.failures += 1
        logger.warning("snapshots could not be %s (%s); some things will be told again", what, type(error).__name__)


class SourceSnapshots:
    """`connector.Snapshots` of one source for one delivery: kept only once its drafts are durable.

    After `keep` its own `last` says so already: a bundle may hold several versions of one resource.
    """

    def __init__(self, store: SnapshotStore, source: str) -> None:
        self._store, self._source = store, source
        self._kept: dict[str, Mapping[str, object]] = {}

    def last(self, resource: str) -> Mapping[str, object] | None:
        kept = self._kept.get(resource)
        return kept if kept is not None else self._store.read(self._source, resource)

    def keep(self, resource: str, snapshot: Mapping[str, object]) -> None:
        self._kept[resource] = snapshot

    def commit(self) -> bool:
        """The drafts are durable. Returns: whether the snapshots are as well; if not, some things are told again."""
        kept, self._kept = self._kept, {}
        return self._store.write(self._source, kept) if kept else True

    def discard(self) -> None:
        """The drafts are not durable: nothing was told."""
        self._kept = {}


def _place(snapshot: Mapping[str, object]) -> str:
    """Where its version is among those of the resource; empty if it does not say."""
    place = snapshot.get("order")
    return place if isinstance(place, str) else ""
