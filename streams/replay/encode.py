"""Rows to JSON objects in bytes, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    HandoffRow.table: TypeAdapter(list[HandoffRow]),
    ExchangeRow.table: TypeAdapter(list[ExchangeRow]),
    ProblemRow.table: TypeAdapter(list[ProblemRow]),
    EvidenceRow.table: TypeAdapter(list[EvidenceRow]),
}
TABLES = tuple(_ADAPTERS)
_UNREVISED = b'"revision":0,'


def encoded(table: str, rows: Sequence[Row], revision: int) -> bytes:
    """JSON objects of one table's rows, a comma between two; `revision` in place of theirs, which is 0.

    Cost: 2 µs a row: one call for many, and no copy of a row for its revision. Inside a text a quote is escaped, so
    the revision's name occurs once in each object.
    """
    array = _ADAPTERS[table].dump_json(list(rows))
    return array[1:-1].replace(_UNREVISED, b'"revision":%d,' % revision)
