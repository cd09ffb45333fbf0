"""What a version of Tieline left behind when it was stopped half way: topics, offsets, tables, and what was still to
come. See README.md beside this file.

Only what any version has is imported here, because the same module runs in the version that is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

TOPICS, TO_COME, ABOUT, POLICY = "topics.ndjson.zst", "to_come.ndjson.zst", "about.json", "policy.yaml"
_TABLES = "tables"


class Recorded(NamedTuple):
    """One record of a topic; `offset` is the one it had."""

    topic: str
    partition: int
    offset: int
    key: str
    value: str | None


class Recording:
    """One folder of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def policy(self) -> Path:
        """The policy of that run, for the next one too."""
        return self.folder / POLICY

    @property
    def about(self) -> dict[str, Any]:
        """`as_of` of the run; `migrations` as (number, name, checksum); `committed` as (group, topic, partition,
        offset)."""
        found: dict[str, Any] = json.loads((self.folder / ABOUT).read_text())
        return found

    def records(self) -> Iterator[Recorded]:
        """What lay on Kafka, in order within each partition."""
        for line in _read(self.folder / TOPICS).splitlines():
            yield Recorded(*json.loads(line))

    def to_come(self) -> list[bytes]:
        """Canonical bytes of the events that are sent after the upgrade."""
        return _read(self.folder / TO_COME).splitlines()

    def tables(self) -> dict[str, bytes]:
        """Rows of each table as ClickHouse writes them in JSONEachRow."""
        return {path.name.split(".")[0]: _read(path) for path in sorted((self.folder / _TABLES).iterdir())}

    def write_about(self, **about: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _TABLES).mkdir(exist_ok=True)
        (self.folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n")

    def write_records(self, records: Iterable[Recorded]) -> None:
        _write(self.folder / TOPICS, "".join(json.dumps(one) + "\n" for one in records).encode())

    def write_to_come(self, events: Iterable[bytes]) -> None:
        _write(self.folder / TO_COME, b"".join(event + b"\n" for event in events))

    def write_table(self, name: str, rows: bytes) -> None:
        _write(self.folder / _TABLES / f"{name}.ndjson.zst", rows)


def _read(path: Path) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as reader:
        return bytes(reader.read())


def _write(path: Path, content: bytes) -> None:
    # Level 19 over a window of all of it: rows repeat what events say.
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(content))
