"""Events in any order, brought together by work item on disk: memory stays the same, however many there are.

An event goes to a file by a hash of its work item's key. A file that grows too large is split by more of the hash, so
where an item lies depends on what the events are, and not on their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import zstandard

from schemas.errors import ConfigError
from streams.gateway.log_import.log_file import unpacked_zstd

_HASH_BYTES = 8
_FRAME_BYTES = 64 * 1024
_LEVEL = 1
Line = tuple[bytes, bytes]
"""The key of a work item, and canonical bytes of one of its events. Neither holds a line break, nor the key a tab."""


class Bucket(NamedTuple):
    """A file of whole work items.

    Attributes:
        name: the hash that all its keys begin with, in hex; the file's name too.
        size: bytes of its lines, unpacked.
        mixed: it holds more than one work item, so it can be split.
    """

    name: str
    events: int
    size: int
    mixed: bool


def fill(folder: Path, lines: Iterable[Line], max_bytes: int) -> list[Bucket]:
    """Write all lines into buckets below `folder`, by name.

    A bucket is larger than `max_bytes` only if it is one work item.

    Memory: at most 256 times 64 KiB for each level of splitting; there are two from 16 GiB on.
    """
    return _split(folder, "", lines, max_bytes)


def _split(folder: Path, prefix: str, lines: Iterable[Line], max_bytes: int) -> list[Bucket]:
    writer = _Writer(folder, prefix)
    for key, payload in lines:
        writer.add(key, payload)
    buckets: list[Bucket] = []
    for bucket in writer.close():
        if bucket.size <= max_bytes or not bucket.mixed or len(bucket.name) >= 2 * _HASH_BYTES:
            buckets.append(bucket)
            continue
        buckets += _split(folder, bucket.name, read_lines(folder, bucket.name), max_bytes)
        (folder / bucket.name).unlink()
    return buckets


def joined(buckets: Sequence[Bucket], max_bytes: int) -> Iterator[list[Bucket]]:
    """Neighbours together, as many as fit; in the order given."""
    group: list[Bucket] = []
    for bucket in buckets:
        if group and sum(each.size for each in group) + bucket.size > max_bytes:
            yield group
            group = []
        group.append(bucket)
    if group:
        yield group


def read_lines(folder: Path, name: str) -> Iterator[Line]:
    """The lines of a bucket.

    Raises: ConfigError: the file is gone or damaged. Operator action: start again; nothing is lost but time.
    """
    try:
        with (folder / name).open("rb") as packed:
            for line in unpacked_zstd(packed):
                key, _, payload = line[:-1].partition(b"\t")
                yield key, payload
    except (OSError, zstandard.ZstdError):
        raise ConfigError(f"temporary file {name} in {folder} is gone or damaged: start again") from None


class _Writer:
    """Buckets by the next byte of the hash; each piece of a file is a zstd frame of its own."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self._prefix, self._at = folder, prefix, len(prefix) // 2
        self._waiting: dict[int, bytearray] = {}
        self._first: dict[int, bytes] = {}
        self._mixed: set[int] = set()
        self._events: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)

    def add(self, key: bytes, payload: bytes) -> None:
        number = blake2b(key, digest_size=_HASH_BYTES).digest()[self._at]
        waiting = self._waiting.get(number)
        if waiting is None:
            waiting = self._waiting[number] = bytearray()
            self._first[number] = key
            self._events[number] = self._size[number] = 0
        elif number not in self._mixed and key != self._first[number]:
            self._mixed.add(number)
        waiting += key + b"\t" + payload + b"\n"
        self._events[number] += 1
        if len(waiting) >= _FRAME_BYTES:
            self._write(number)

    def close(self) -> list[Bucket]:
        for number in self._waiting:
            self._write(number)
        return [
            Bucket(self._name(number), self._events[number], self._size[number], number in self._mixed)
            for number in sorted(self._waiting)
        ]

    def _name(self, number: int) -> str:
        return f"{self._prefix}{number:02x}"

    def _write(self, number: int) -> None:
        waiting = self._waiting[number]
        self._size[number] += len(waiting)
        with (self._folder / self._name(number)).open("ab") as file:
            file.write(self._packer.compress(bytes(waiting)))
        waiting.clear()
