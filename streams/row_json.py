"""Rows as JSON objects in bytes, as their models would write them, in half the time."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from schemas.rows import Row


def rows_json(rows: Iterable[Row]) -> bytes:
    """`row.model_dump_json().encode()` of each row, a comma between two.

    Every row has all its fields, in the order of the model, and only values that JSON writes in one way.
    """
    # What orjson gives takes up to twice its length in memory; a slice of it is as long as it is.
    return orjson.dumps([row.__dict__ for row in rows], option=orjson.OPT_UTC_Z)[1:-1]


def row_json(row: Row) -> bytes:
    """The same of one row."""
    return rows_json((row,))
