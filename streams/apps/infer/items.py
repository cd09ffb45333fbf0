"""The work items of one partition: folds of those that something happens to, and small bytes of all others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator
from itertools import chain

import zstandard

from schemas.topics import split_key
from streams.inference.fold import OUTLINE_BYTES, Outline, WorkItemFold, outline

_LEARN_FROM = 64
_DICTIONARY_BYTES = 16_384
HOT_EVENTS = 3_000
"""Of one partition, 1.8 KB each. An item is found decoded if fewer than these came between two of its own events."""


class Packing:
    """Compresses resting folds; one for all partitions of a process.

    Events of one place look alike, and one item has too few of them for that to show. So the first items that are
    packed become a dictionary for all others, which halves them. What is packed never leaves the process.
    """

    def __init__(self) -> None:
        self._plain, self._plainly = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
        self._learning: list[bytes] | None = []
        self._known: zstandard.ZstdCompressor | None = None
        self._knowing: zstandard.ZstdDecompressor | None = None

    def pack(self, resting: bytes) -> bytes:
        """Its outline as it is, a byte that says how the rest is compressed, and the rest."""
        head, body = resting[:OUTLINE_BYTES], resting[OUTLINE_BYTES:]
        if self._learning is not None:
            self._learn(body)
        if self._known is not None:
            return head + b"\x01" + self._known.compress(body)
        return head + b"\x00" + self._plain.compress(body)

    def unpack(self, packed: bytes) -> bytes:
        """What was packed."""
        body = packed[OUTLINE_BYTES + 1 :]
        how = self._knowing if packed[OUTLINE_BYTES] else self._plainly
        assert how is not None
        return packed[:OUTLINE_BYTES] + how.decompress(body)

    def _learn(self, body: bytes) -> None:
        assert self._learning is not None
        self._learning.append(body)
        if len(self._learning) == _LEARN_FROM:
            content = b"".join(self._learning)[-_DICTIONARY_BYTES:]
            learned = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            learned.precompute_compress(level=1)
            self._known = zstandard.ZstdCompressor(dict_data=learned, write_checksum=False, write_dict_id=False)
            self._knowing = zstandard.ZstdDecompressor(dict_data=learned)
            self._learning = None


class Items:
    """A mapping of keys to folds. What it hands out is awake until `rest`; ask again after that."""

    def __init__(self, packing: Packing | None = None) -> None:
        self._packing = packing or Packing()
        self._awake: dict[bytes, WorkItemFold] = {}
        self._resting: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._awake) + len(self._resting)

    def __contains__(self, key: object) -> bool:
        return key in self._awake or key in self._resting

    def __getitem__(self, key: bytes) -> WorkItemFold:
        fold = self.get(key)
        if fold is None:
            raise KeyError(key)
        return fold

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(chain(self._awake, self._resting)))

    def get(self, key: bytes) -> WorkItemFold | None:
        """The fold of a work item, None if there is none."""
        fold = self._awake.get(key)
        if fold is None and (packed := self._resting.pop(key, None)) is not None:
            process, subject = split_key(key)
            fold = self._awake[key] = WorkItemFold.woken(process, subject, self._packing.unpack(packed))
        return fold

    def add(self, key: bytes, fold: WorkItemFold) -> WorkItemFold:
        """Take in a fold, which is awake."""
        self._resting.pop(key, None)
        self._awake[key] = fold
        return fold

    def drop(self, key: bytes) -> None:
        """Forget a work item, if it is here."""
        self._awake.pop(key, None)
        self._resting.pop(key, None)

    def put_to_rest(self, key: bytes) -> None:
        """One item, of which nobody holds the fold any more; one that cannot stays awake."""
        if self._awake[key].may_rest:
            self._resting[key] = self._packing.pack(self._awake.pop(key).rest())

    def rest(self, *but: Container[bytes]) -> None:
        """All items but those whose keys are in any of these."""
        for key in [key for key in self._awake if not any(key in kept for kept in but)]:
            self.put_to_rest(key)

    def outlines(self) -> Iterator[tuple[bytes, Outline | WorkItemFold]]:
        """Every item without waking it."""
        yield from self._awake.items()
        for key, packed in self._resting.items():
            yield key, outline(packed)


class Hot:
    """The folds that keep their decoded events: those last used, up to so many events; at least one fold, always."""

    def __init__(self, most_events: int) -> None:
        self._most_events, self._events = most_events, 0
        self._folds: OrderedDict[bytes, tuple[WorkItemFold, int]] = OrderedDict()

    def __contains__(self, key: object) -> bool:
        return key in self._folds

    def keep(self, key: bytes, fold: WorkItemFold) -> None:
        """It was just used; whoever has waited for longest gives its events back, until there is room."""
        self.drop(key)
        self._folds[key] = fold, len(fold.history)
        self._events += len(fold.history)
        while self._events > self._most_events and len(self._folds) > 1:
            _, (cold, events) = self._folds.popitem(last=False)
            self._events -= events
            cold.cool()

    def drop(self, key: bytes) -> None:
        """Forget it, if it is here."""
        _, events = self._folds.pop(key, (None, 0))
        self._events -= events
