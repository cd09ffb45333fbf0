"""The keys of evicted work items, in eight bytes each: they are kept for good, so they have to be small."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from sys import getsizeof

_BUCKETS = 256
_64_BITS = (1 << 64) - 1


class Stubs:
    """A set of keys that remembers 64-bit hashes of them only, in sorted arrays.

    A key that was never added is taken for a stub about once in 2**64 ÷ (number of stubs) questions. That costs time
    and nothing else: its events go to `tieline.late`, and the sink computes the item from the archive. Python seeds
    the hash anew in every process, so nobody can choose a key that collides.

    Cost: 1 µs each for adding and asking; 8 to 9 bytes for each key.
    """

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: list[array[int] | None] = [None] * _BUCKETS

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets if bucket is not None)

    def __contains__(self, key: bytes) -> bool:
        digest = hash(key) & _64_BITS
        bucket = self._buckets[digest % _BUCKETS]
        if bucket is None:
            return False
        at = bisect_left(bucket, digest)
        return at < len(bucket) and bucket[at] == digest

    def size_bytes(self) -> int:
        """What the hashes take in memory, room for more of them included."""
        return sum(getsizeof(bucket) for bucket in self._buckets if bucket is not None)

    def add(self, key: bytes) -> None:
        """Take in a key; adding it again changes nothing."""
        digest = hash(key) & _64_BITS
        bucket = self._buckets[digest % _BUCKETS]
        if bucket is None:
            bucket = self._buckets[digest % _BUCKETS] = array("Q")
        at = bisect_left(bucket, digest)
        if at == len(bucket) or bucket[at] != digest:
            bucket.insert(at, digest)

    def discard(self, key: bytes) -> None:
        """Forget a key, if it is here."""
        digest = hash(key) & _64_BITS
        bucket = self._buckets[digest % _BUCKETS]
        if bucket is not None:
            at = bisect_left(bucket, digest)
            if at < len(bucket) and bucket[at] == digest:
                del bucket[at]
