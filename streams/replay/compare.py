"""What was streamed beside what its events say: which rows are missing, extra or different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from schemas.rows import Row
from streams.inference.facts import RowKey, row_key

Kind = Literal["missing", "extra", "different"]


class ItemKey(NamedTuple):
    """A row's key among all work items."""

    process: str
    work_item: str
    row: RowKey


class Difference(NamedTuple):
    """One row that is not as its events say.

    Attributes:
        kind: missing: the events say it and it is not there; extra: it is there, and they do not say it.
        columns: that differ, by name.
    """

    table: str
    kind: Kind
    process: str
    work_item: str
    episode_id: str
    rule: str
    part: int
    columns: tuple[str, ...] = ()


def by_key(rows: Iterable[Row]) -> dict[ItemKey, Row]:
    """Rows by their key."""
    return {ItemKey(row.process, row.work_item, row_key(row)): row for row in rows}


def differences(
    stored: Mapping[ItemKey, Row], before: Mapping[ItemKey, Row], after: Mapping[ItemKey, Row]
) -> Iterator[Difference]:
    """Stored rows against the fold at two instants, between which they were read.

    A deadline may pass in between, and a row changes by itself: what is as at either end is right.
    """
    for key in sorted({*stored, *before, *after}):
        held, ends = stored.get(key), (before.get(key), after.get(key))
        if held not in ends:
            yield _difference(key, held, ends[1] or ends[0])


def _difference(key: ItemKey, held: Row | None, said: Row | None) -> Difference:
    kind: Kind = "missing" if held is None else "extra" if said is None else "different"
    columns = _columns(held, said) if held is not None and said is not None else ()
    return Difference(
        key.row.table, kind, key.process, key.work_item, key.row.episode_id, key.row.rule, key.row.part, columns
    )


def _columns(held: Row, said: Row) -> tuple[str, ...]:
    return tuple(name for name in type(said).model_fields if getattr(held, name) != getattr(said, name))
