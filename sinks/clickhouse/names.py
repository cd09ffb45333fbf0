"""Keeps tie_names: in which months some version of a handoff, exchange or problem named a tie.

A name is a reason to look and no proof: a row that is corrected leaves its old name behind. So names are only ever
added, and views ask the rows themselves in the months of a name that no atom has (named_sql).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from pydantic_core import from_json, to_json

from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.row_cuts import pattern

SOURCES: Mapping[str, int] = {"handoffs": 1, "exchanges": 2, "problems": 3}
"""Table to the number that stands for it in tie_names."""
_AT: Mapping[str, str] = {"handoffs": "offered_at", "exchanges": "sent_at", "problems": "raised_at"}
_MOST_KNOWN = 100_000
_CUTS: Mapping[str, re.Pattern[bytes]] = {
    "handoffs": pattern(
        '(<place>),<episode>,"handoff_id":<text>,("from_role":<text>,"to_role":<text>,"origin":<text>),'
        '"intent":<text>,"urgency":<text>,"offered_at":<month>,'
    ),
    "exchanges": pattern(
        '(<place>),<episode>,"message_id":<text>,("from_role":<text>,"to_roles":<texts>),"sent_at":<month>,'
    ),
    "problems": pattern(
        '(<place>),<episode>,"problem_id":<text>,("from_role":<text>,"to_roles":<texts>),"raised_at":<month>,'
    ),
}
"""Of an encoded row of each table: what a name is made of."""


class TieName(NamedTuple):
    """A row of tie_names."""

    run: str
    process: str
    month: date
    site: str
    origin: str
    from_role: str
    to_role: str
    source: int


class Names:
    """What is in tie_names for certain, so that only what is new is written. For one event loop, beside one writer."""

    def __init__(self, client: Client, retry: Retry) -> None:
        self._client = client
        self._retry = retry
        self._known: set[TieName] = set()

    async def before_insert(self, table: str, rows: Sequence[bytes]) -> Callable[[], None]:
        """Writes the names of these encoded rows before the rows themselves are there: no row is ever without its name.

        Cost: 2 µs a row; an insert, only when a tie is seen for the first time in a month.
        """
        new = set(names_of(table, rows)) - self._known
        if new:
            await self._retry.call(lambda: put_names(self._client, new))
            if len(self._known) > _MOST_KNOWN:  # roles come from outside; writing a name again is harmless
                self._known.clear()
            self._known |= new
        return _nothing


def names_of(table: str, rows: Sequence[bytes]) -> Iterator[TieName]:
    """The names in encoded rows of one of `SOURCES`, repeats left out; a tombstone names nothing."""
    seen: set[tuple[bytes, ...]] = set()
    for raw in rows:
        found = _CUTS[table].search(raw)
        if found is not None:
            place = found.groups()
            if place in seen:
                continue
            seen.add(place)
        try:
            row = from_json(raw, cache_strings="all")
            if not row["is_deleted"]:
                yield from _named(table, row)
        except (KeyError, ValueError, TypeError):
            continue  # no such row: the store refuses it


def put_names(client: Client, names: set[TieName]) -> None:
    """Writes names; returns once the store has acknowledged them."""
    insert_rows(client, "tie_names", [to_json(name._asdict()) for name in sorted(names)])


def _named(table: str, row: dict[str, Any]) -> Iterator[TieName]:
    month = datetime.fromisoformat(row[_AT[table]]).astimezone(UTC).date().replace(day=1)
    for to_role in [row["to_role"]] if table == "handoffs" else row["to_roles"]:
        yield TieName(
            row["run"],
            row["process"],
            month,
            row.get("site") or "",
            row.get("origin") or "explicit",
            row["from_role"],
            to_role,
            SOURCES[table],
        )


def _nothing() -> None:
    """Nothing is left to do once the rows are acknowledged."""
