"""Snapshots: kept once durable, bounded, and never a reason to stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.gateway.connectors.snapshots import MAX_SNAPSHOT_BYTES, SnapshotStore

ROOT = Path(__file__).parents[3]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SnapshotStore]:
    opened = SnapshotStore(tmp_path / "snapshots.db", max_snapshots=10, max_age_s=100, clock=clock)
    yield opened
    opened.close()


def keep(store: SnapshotStore, resource: str, source: str = "ehr", **snapshot: object) -> None:
    snapshots = store.of(source)
    snapshots.keep(resource, snapshot)
    assert snapshots.commit()


def test_snapshot_is_last_once_committed(store: SnapshotStore) -> None:
    keep(store, "Task/1", status="requested", offers={"ward": 1})
    assert store.of("ehr").last("Task/1") == {"status": "requested", "offers": {"ward": 1}}


def test_snapshot_is_seen_by_its_own_delivery_only_until_committed(store: SnapshotStore) -> None:
    snapshots = store.of("ehr")
    snapshots.keep("Task/1", {"status": "requested"})
    assert snapshots.last("Task/1") == {"status": "requested"}
    assert store.of("ehr").last("Task/1") is None


def test_discarded_snapshot_was_never_kept(store: SnapshotStore) -> None:
    keep(store, "Task/1", status="requested")
    snapshots = store.of("ehr")
    snapshots.keep("Task/1", {"status": "accepted"})
    snapshots.discard()
    assert snapshots.last("Task/1") == {"status": "requested"}
    assert snapshots.commit()
    assert store.of("ehr").last("Task/1") == {"status": "requested"}


def test_sources_do_not_see_each_other(store: SnapshotStore) -> None:
    keep(store, "Task/1", source="one", status="requested")
    assert store.of("other").last("Task/1") is None


def test_older_version_never_takes_the_place_of_the_newer(store: SnapshotStore) -> None:
    keep(store, "Task/1", order="#000000000000000010", status="completed")
    keep(store, "Task/1", order="#000000000000000009", status="accepted")
    assert store.of("ehr").last("Task/1") == {"order": "#000000000000000010", "status": "completed"}


def test_versions_that_cannot_be_compared_are_kept_as_they_come(store: SnapshotStore) -> None:
    keep(store, "Task/1", order="2026-03-02T08:00:00.000000Z", status="requested")
    keep(store, "Task/1", order="#000000000000000002", status="accepted")
    keep(store, "Task/1", order="", status="completed")
    assert store.of("ehr").last("Task/1") == {"order": "", "status": "completed"}


def test_what_is_too_many_is_forgotten_oldest_first(store: SnapshotStore, clock: Clock) -> None:
    for number in range(15):
        clock.now += 1
        keep(store, f"Task/{number}", status="requested")
    store.trim()
    assert len(store) == 10
    assert store.of("ehr").last("Task/4") is None
    assert store.of("ehr").last("Task/5") is not None


def test_what_is_too_old_is_forgotten(store: SnapshotStore, clock: Clock) -> None:
    keep(store, "Task/1", status="requested")
    clock.now += 50
    keep(store, "Task/2", status="requested")
    clock.now += 60
    store.trim()
    assert store.of("ehr").last("Task/1") is None
    assert store.of("ehr").last("Task/2") is not None


def test_count_is_bounded_without_anybody_asking(store: SnapshotStore, clock: Clock) -> None:
    for number in range(600):
        clock.now += 0.001
        keep(store, f"Task/{number}", status="requested")
    assert len(store) <= 10 + 256


def test_snapshot_that_is_too_large_is_forgotten_with_the_one_before(store: SnapshotStore) -> None:
    keep(store, "Task/1", status="requested")
    keep(store, "Task/1", status="x" * MAX_SNAPSHOT_BYTES)
    assert store.of("ehr").last("Task/1") is None


def test_snapshots_are_there_after_reopening(tmp_path: Path) -> None:
    first = SnapshotStore(tmp_path / "snapshots.db")
    keep(first, "Task/1", status="requested")
    first.close()
    second = SnapshotStore(tmp_path / "snapshots.db")
    assert second.of("ehr").last("Task/1") == {"status": "requested"}
    second.close()


def test_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "snapshots.db"
    path.write_bytes(b"SQLite format 3\x00" + os.urandom(4096))
    store = SnapshotStore(path)
    keep(store, "Task/1", status="requested")
    assert store.of("ehr").last("Task/1") == {"status": "requested"}
    assert store.failures == 1
    assert (tmp_path / "snapshots.db.damaged").exists()
    store.close()


def test_file_that_cannot_be_written_is_no_error(store: SnapshotStore) -> None:
    store.close()
    snapshots = store.of("ehr")
    snapshots.keep("Task/1", {"status": "requested"})
    assert not snapshots.commit()
    assert snapshots.last("Task/1") is None
    assert store.failures == 2


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "snapshots.db")
    keep(store, "Task/1", status="requested")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    store.close()


_WRITER = """
import sys
from pathlib import Path
from streams.gateway.connectors.snapshots import SnapshotStore
store = SnapshotStore(Path(sys.argv[1]))
for number in range(10**9):
    snapshots = store.of("ehr")
    snapshots.keep("Task/1", {"number": number})
    snapshots.keep("Task/2", {"number": number})
    snapshots.commit()
    print(number, flush=True)
"""


def test_killed_process_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "snapshots.db"
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writer:
            assert writer.stdout is not None
            seen = [int(next(writer.stdout)) for _ in range(50)]
            writer.send_signal(signal.SIGKILL)
            seen += [int(line) for line in writer.stdout if line.endswith("\n")]
        store = SnapshotStore(path)
        first, second = (store.of("ehr").last(f"Task/{number}") for number in (1, 2))
        assert first is not None
        assert first == second
        assert isinstance(first["number"], int)
        assert first["number"] >= seen[-1]
        assert store.failures == 0
        store.close()
