"""Inputs made from seeds: the same for the same number, on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

_SPECIAL = (
    b"",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xa8",
    b"\r",
    b"\n",
    b"99999999999",
    b"-1",
    b"NaN",
)
_REPEATS = (2, 10, 100, 1000, 10_000)


class Mutator:
    """Makes inputs.

    Args:
        seeds, tokens: as in `Target`.
    """

    def __init__(self, seeds: Sequence[bytes], tokens: Sequence[bytes], max_bytes: int) -> None:
        self._seeds, self._tokens, self._max_bytes = seeds, (*tokens, *_SPECIAL), max_bytes
        self._ways: tuple[Callable[[bytearray, Random], bytes | bytearray], ...] = (
            self._flip,
            self._strew,
            self._cut,
            self._double,
            self._repeat,
            self._swap,
            self._splice,
        )

    def made(self, number: int) -> bytes:
        """The input of that number: a seed, changed one to eight times; a few are no seed's at all."""
        chance = Random(number)
        if number % 50 == 49:
            return chance.randbytes(chance.randrange(200))
        data = bytearray(chance.choice(self._seeds))
        for _ in range(chance.randrange(1, 9)):
            data = bytearray(chance.choice(self._ways)(data, chance))[: self._max_bytes]
        return bytes(data)

    def _flip(self, data: bytearray, chance: Random) -> bytearray:
        for _ in range(chance.randrange(1, 5)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        return data

    def _strew(self, data: bytearray, chance: Random) -> bytearray:
        at = chance.randrange(len(data) + 1)
        data[at:at] = chance.choice(self._tokens)
        return data

    def _cut(self, data: bytearray, chance: Random) -> bytearray:
        start, end = self._span(data, chance)
        del data[start:end]
        return data

    def _double(self, data: bytearray, chance: Random) -> bytearray:
        start, end = self._span(data, chance)
        data[end:end] = data[start:end]
        return data

    def _repeat(self, data: bytearray, chance: Random) -> bytearray:
        at, token = chance.randrange(len(data) + 1), chance.choice(self._tokens)
        data[at:at] = token * chance.choice(_REPEATS)
        return data

    def _swap(self, data: bytearray, chance: Random) -> bytes:
        """One token in the place of another, wherever it is."""
        old, new = chance.choice(self._tokens), chance.choice(self._tokens)
        return bytes(data).replace(old, new, chance.choice((1, 5, -1))) if old else bytes(data)

    def _splice(self, data: bytearray, chance: Random) -> bytes:
        other = chance.choice(self._seeds)
        return bytes(data[: chance.randrange(len(data) + 1)]) + other[chance.randrange(len(other) + 1) :]

    @staticmethod
    def _span(data: bytearray, chance: Random) -> tuple[int, int]:
        start = chance.randrange(len(data) + 1)
        return start, min(len(data), start + chance.randrange(1, 64))
