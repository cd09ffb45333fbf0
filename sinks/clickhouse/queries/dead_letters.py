"""What could not be used, one by one, and whether it has been used since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.dead_letter import DeadLetter
from sinks.clickhouse.pieces import pieces

Identity = tuple[str, str, str, str]
"""(process, work item, source, id) of an event."""

_COLUMNS = tuple(DeadLetter.model_fields)
_PLACE = "topic, partition, offset, id"
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant; what is left empty does not matter.

    Attributes:
        ids: or how they begin.
        reasons: codes, such as `wrong_key`.
        sources: names of the gateway's sources, or topics that were read.
        since, until: when the record arrived, half-open.
    """

    ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """SQL of a WHERE, and its parameters."""
        chosen: dict[str, tuple[str, Any]] = {
            "ids": ("arrayExists(start -> startsWith(id, start), {ids:Array(String)})", self.ids),
            "reasons": ("code IN {reasons:Array(String)}", self.reasons),
            "stages": ("stage IN {stages:Array(String)}", self.stages),
            "sources": ("topic IN {sources:Array(String)}", self.sources),
            "since": ("at >= {since:DateTime64(6, 'UTC')}", self.since),
            "until": ("at < {until:DateTime64(6, 'UTC')}", self.until),
        }
        used = {name: pair for name, pair in chosen.items() if pair[1]}
        values = {name: list(value) if isinstance(value, tuple) else value for name, (_, value) in used.items()}
        return " AND ".join(condition for condition, _ in used.values()) or "true", values


def newest_letters(client: Client, wanted: Wanted, limit: int) -> list[DeadLetter]:
    """The newest first, at most `limit`."""
    where, parameters = wanted.conditions()
    return _letters(client, f"{where} ORDER BY at DESC, id LIMIT {limit}", parameters)


def all_letters(client: Client, wanted: Wanted) -> Iterator[DeadLetter]:
    """All of them, by where they are in the log: neighbours are read back together.

    Page by page, so that the reader may take its time, and ask other things between two letters.
    """
    where, parameters = wanted.conditions()
    after: dict[str, Any] = {"topic": "", "partition": -(2**31), "offset": -(2**63), "id": ""}
    place = "{topic:String}, {partition:Int32}, {offset:Int64}, {id:String}"
    while True:
        page = f"({where}) AND ({_PLACE}) > ({place}) ORDER BY {_PLACE} LIMIT {_PAGE}"
        letters = _letters(client, page, parameters | after)
        yield from letters
        if len(letters) < _PAGE:
            return
        after = letters[-1].model_dump(include=set(after))


def count_letters(client: Client, wanted: Wanted) -> int:
    """How many there are."""
    where, parameters = wanted.conditions()
    ((found,),) = client.query(f"SELECT count() FROM dead_letters FINAL WHERE {where}", parameters).result_rows
    return int(found)


def archived_contents(client: Client, identities: Sequence[Identity]) -> set[tuple[Identity, bytes]]:
    """The contents that the archive holds for these identities. Cost: a look-up by primary key."""
    sql = """
SELECT DISTINCT process, subject, source, id, payload FROM events
WHERE (process, subject, source, id) IN {identities:Array(Tuple(String, String, String, String))}"""
    found = set[tuple[Identity, bytes]]()
    for some in pieces(identities):
        rows = client.query(sql, parameters={"identities": some}).result_rows
        found.update(
            ((process, subject, source, id), payload.encode()) for process, subject, source, id, payload in rows
        )
    return found


def _letters(client: Client, where: str, parameters: dict[str, Any]) -> list[DeadLetter]:
    sql = f"SELECT {', '.join(_COLUMNS)} FROM dead_letters FINAL WHERE {where}"
    rows = client.query(sql, parameters=parameters).result_rows
    return [DeadLetter.model_validate(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
