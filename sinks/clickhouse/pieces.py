"""Long lists for the store in pieces: it bounds what a parameter and a statement may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_PARAMETER_BYTES = 24 * 1024
"""ClickHouse refuses a parameter of more than 128 KiB (`http_max_field_value_size`); a quotation mark or a backslash
takes up to four times as many bytes there as in a name."""
_AROUND_A_NAME = 6

Item = TypeVar("Item")
Key = TypeVar("Key", bound=tuple[str, ...])


def by_size(items: Iterable[Item], size_of: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """The items in order, in lists that are no larger than `most` together, or of one item; nothing for none."""
    piece, held = list[Item](), 0
    for item in items:
        size = size_of(item)
        if piece and held + size > most:
            yield piece
            piece, held = [], 0
        piece.append(item)
        held += size
    if piece:
        yield piece


def pieces(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """The keys in lists that fit into one parameter each."""
    return by_size(keys, lambda key: sum(len(name.encode()) + _AROUND_A_NAME for name in key), _PARAMETER_BYTES)
