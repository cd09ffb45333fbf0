"""Long lists of keys as parameters: ClickHouse refuses one of more than 128 KiB (`http_max_field_value_size`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_MOST_BYTES = 24 * 1024
"""Of names as they are; a quotation mark or a backslash takes up to four times as many as a parameter."""
_AROUND_A_NAME = 6

Key = TypeVar("Key", bound=tuple[str, ...])


def pieces(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """The keys in lists that fit into one parameter each, in order; nothing for none."""
    piece, size = list[Key](), 0
    for key in keys:
        takes = sum(len(name.encode()) + _AROUND_A_NAME for name in key)
        if piece and size + takes > _MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(key)
        size += takes
    if piece:
        yield piece
