"""What differs between two runs, tie by tie, and which rows of evidence make the difference.

Everything comes from atoms that may be shown in both runs, each by its own promise: what is in any other atom enters
nothing. Runs are compared as they were computed; what is promoted plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.errors import InvariantError
from sinks.clickhouse.asked_sql import ASKED, NEARBY, SCOPE
from sinks.clickhouse.control_views import RUN_CHANGES
from sinks.clickhouse.promoted_sql import alone
from sinks.clickhouse.publish_sql import ASKED_TIME, atoms_where

FIRST, LAST = "1971-01-01", "2149-01-01"
"""All of history, as far as days of a quality view reach."""
MOST_ROWS = 400_000
"""Of evidence, of both runs, that are compared at once."""


class Asked(NamedTuple):
    """Two runs, a process (none: every one), and the time (instants as text; atoms that it touches are taken whole)."""

    a: str
    b: str
    process: str = ""
    first: str = FIRST
    after: str = LAST

    def parameters(self) -> dict[str, Any]:
        """As the statements here take them."""
        return {"run": self.a, "compare": self.b, "process": self.process, "site": ""} | {
            "from": self.first,
            "to": self.after,
        }


class TieKey(NamedTuple):
    """A tie and one dimension of it."""

    process: str
    communicator_role: str
    experiencer_role: str
    dimension: str
    origin: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one tie and dimension in both runs, over the periods that may be shown in both; None: there are none.

    Attributes:
        change: value in B less value in A; low, high: its 90 % interval.
    """

    periods: int
    n_a: int | None
    value_a: float | None
    n_b: int | None
    value_b: float | None
    change: float | None
    low: float | None
    high: float | None

    @property
    def beyond(self) -> bool | None:
        """Whether the interval of the change leaves out zero."""
        return None if self.low is None or self.high is None else self.low > 0 or self.high < 0


class RowCounts(NamedTuple):
    """Rows of evidence of one rule, by how they differ; and all that are the same."""

    only_a: int = 0
    only_b: int = 0
    other_value: int = 0
    other_ripeness: int = 0
    same: int = 0

    @property
    def differing(self) -> int:
        """How many are not the same."""
        return self.only_a + self.only_b + self.other_value + self.other_ripeness

    def plus(self, other: RowCounts) -> RowCounts:
        """Both together."""
        return RowCounts(*map(sum, zip(self, other, strict=True)))


class EventCounts(NamedTuple):
    """Distinct events behind evidence of one run only, that the other run has not met in the same episode."""

    only_a: int = 0
    only_b: int = 0


Rows = dict[TieKey, dict[str, RowCounts]]
"""By tie and dimension, then by rule."""


def figures(client: Client, asked: Asked) -> dict[TieKey, Figures]:
    """Every tie that may be shown in either run."""
    columns = "periods, n, value, compare_n, compare_value, change, low, high"
    sql = f"SELECT {', '.join(TieKey._fields)}, {columns} FROM ({_unpromoted(RUN_CHANGES)})"
    rows = client.query(sql, parameters=asked.parameters()).result_rows
    return {TieKey(*row[:5]): Figures(*row[5:]) for row in rows}


class Piece(NamedTuple):
    """Evidence that is compared at once: of months, `last` included; of one process, or of all that are asked for."""

    process: str
    first: date
    last: date


def pieces(client: Client, asked: Asked, most_rows: int = MOST_ROWS) -> list[Piece]:
    """All evidence of either run that may matter, cut so that no piece has many more rows than it may."""
    sql = f"""{_PLAIN}
SELECT process, toStartOfMonth(at) AS month, count() AS rows FROM evidence
WHERE run IN ({{run:String}}, {{compare:String}}) AND {SCOPE} AND {NEARBY}
GROUP BY process, month ORDER BY process, month"""
    found = [(str(process), month, int(rows)) for process, month, rows in _ask(client, sql, asked.parameters())]
    if found and sum(rows for _, _, rows in found) <= most_rows:
        return [Piece(asked.process, min(month for _, month, _ in found), max(month for _, month, _ in found))]
    cut: list[Piece] = []
    held = 0
    for process, month, rows in found:
        if cut and cut[-1].process == process and held + rows <= most_rows:
            cut[-1], held = cut[-1]._replace(last=month), held + rows
        else:
            cut.append(Piece(process, month, month))
            held = rows
    return cut


def compare_rows(
    client: Client,
    asked: Asked,
    told: Callable[[int, int], None] = lambda done, of: None,
    most_rows: int = MOST_ROWS,
) -> Rows:
    """Rows of evidence of the shared atoms, by tie and rule.

    A row that is in another atom in each run is one only A has, in its tie there, and one only B has.
    Args:
        told: pieces that are done, and all of them.
    Cost: about 3 s per million rows; memory is bounded by a piece, or by the evidence of one month of one process.
    """
    found: Rows = {}
    cut = pieces(client, asked, most_rows)
    for done, piece in enumerate(cut):
        told(done, len(cut))
        for row in _ask(client, _ROWS, _of(asked, piece)):
            for key in _both_ways(TieKey(*row[:5])):
                rules = found.setdefault(key, {})
                rules[row[5]] = rules.get(row[5], RowCounts()).plus(RowCounts(*row[6:]))
    return found


def compare_events(client: Client, asked: Asked) -> dict[TieKey, EventCounts]:
    """By tie: events that only one run has met. Cost: as `compare_rows`, and the handoffs of both runs."""
    found: dict[TieKey, EventCounts] = {}
    for piece in pieces(client, asked):
        sql = f"""{_PLAIN}
SELECT {_TIE}, uniqExactIf(event, side = 1), uniqExactIf(event, side = 2) FROM ({_ONE_SIDED}) GROUP BY {_TIE}"""
        for row in _ask(client, sql, _of(asked, piece)):
            for key in _both_ways(TieKey(*row[:5])):
                before = found.get(key, EventCounts())
                found[key] = EventCounts(before.only_a + int(row[5]), before.only_b + int(row[6]))
    return found


def one_sided_events(client: Client, asked: Asked, most: int) -> list[tuple[str, str, str]]:
    """Process, run and id of events that only that run has met, in alphabetical order: for auditors.

    Args:
        most: how many at most.
    """
    found: set[tuple[str, str, str]] = set()
    for piece in pieces(client, asked):
        sql = f"{_PLAIN} SELECT DISTINCT process, side, event FROM ({_ONE_SIDED}) ORDER BY ALL LIMIT {most}"
        rows = _ask(client, sql, _of(asked, piece))
        found |= {(process, asked.a if side == 1 else asked.b, event) for process, side, event in rows}
    return sorted(found)[:most]


def _ask(client: Client, sql: str, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
    return client.query(sql, parameters=parameters, settings=_SPILL).result_rows


def _of(asked: Asked, piece: Piece) -> dict[str, Any]:
    return asked.parameters() | {"process": piece.process, "first": piece.first, "last": piece.last}


def _both_ways(key: TieKey) -> Sequence[TieKey]:
    """What is stored once for an unordered pair is shown on both directions."""
    if key.dimension != "frequency" or key.communicator_role == key.experiencer_role:
        return [key]
    return [key, key._replace(communicator_role=key.experiencer_role, experiencer_role=key.communicator_role)]


def _unpromoted(view: str) -> str:
    for asked in ("run", "compare"):
        if alone(asked) not in view:
            raise InvariantError("run_changes is no longer made of what a diff takes from it")
        view = view.replace(alone(asked), _by_itself(asked))
    return view


def _by_itself(asked: str) -> str:
    return f"CAST([], 'Array(String)') AS {asked}_promoted, true AS {asked}_alone"


_PLAIN = f"{ASKED}, {_by_itself('run')}, {_by_itself('compare')}"
_TIE = ", ".join(TieKey._fields)
_ATOM = f"{_TIE}, site, period, period_start"
_KEY = "work_item, episode_id, rule, part"

# A quarter that holds a month starts at most two months before it, a week that reaches into it at most six days.
_AROUND = (
    f"{SCOPE} AND {ASKED_TIME} AND period_start > addDays({{first:Date32}}, -92)"
    " AND period_start < addMonths({last:Date32}, 1)"
)
_SPILL = {"max_bytes_before_external_group_by": 150_000_000}


def _publishable(asked: str) -> str:
    columns = _ATOM.replace("process, ", "", 1).replace("period, ", "", 1)
    return f"SELECT {_ATOM} FROM ({atoms_where(_AROUND, columns, '*', asked)}) WHERE publishable"


_SHARED = f"""
SELECT {_ATOM} FROM ({_publishable("run")} UNION ALL {_publishable("compare")}) GROUP BY {_ATOM} HAVING count() = 2"""


def _in_piece(at: str) -> str:
    return f"toStartOfMonth({at}) >= {{first:Date}} AND toStartOfMonth({at}) <= {{last:Date}}"


def _evidence(asked: str, side: int, columns: str) -> str:
    return f"""
SELECT {side} AS side, {columns} FROM evidence FINAL
WHERE run = {{{asked}:String}} AND (any_process OR process = {{process:String}}) AND {_in_piece("at")}
    AND ({_ATOM}) IN ({_SHARED})"""


_SAID = f"{_ATOM}, {_KEY}, ripe, value"
_ROWS = f"""{_PLAIN}
SELECT {_TIE}, rule, countIf(in_a = 1 AND in_b = 0), countIf(in_a = 0 AND in_b = 1),
    countIf(both AND same_ripeness AND NOT same_value), countIf(both AND NOT same_ripeness),
    countIf(both AND same_ripeness AND same_value)
FROM
(
    SELECT {_ATOM}, {_KEY}, count() = 2 AS both, countIf(side = 1) AS in_a, countIf(side = 2) AS in_b,
        uniqExact(ripe) = 1 AS same_ripeness, uniqExact(tuple(value)) = 1 AS same_value
    FROM ({_evidence("run", 1, _SAID)} UNION ALL {_evidence("compare", 2, _SAID)})
    GROUP BY {_ATOM}, {_KEY}
)
GROUP BY {_TIE}, rule"""


def _met(asked: str, side: int) -> str:
    """Events of episodes of a run, whatever it made of them."""
    at = {"handoffs": "offered_at", "exchanges": "sent_at", "problems": "raised_at"}
    return " UNION ALL ".join(
        f"""
SELECT {side} AS side, process, work_item, arrayJoin(event_ids) AS event FROM {table} FINAL
WHERE run = {{{asked}:String}} AND (any_process OR process = {{process:String}}) AND {_in_piece(column)}"""
        for table, column in at.items()
    )


_ITEM_EVENT = "process, work_item, arrayJoin(event_ids) AS event"
_BEHIND = f"{_TIE}, work_item, arrayJoin(event_ids) AS event"
_ONE_SIDED = f"""
SELECT {_TIE}, side, event
FROM ({_evidence("run", 1, _BEHIND)} UNION ALL {_evidence("compare", 2, _BEHIND)})
WHERE (toUInt8(3 - side), process, work_item, event) NOT IN (
    SELECT side, process, work_item, event FROM ({_met("run", 1)} UNION ALL {_met("compare", 2)}
        UNION ALL {_evidence("run", 1, _ITEM_EVENT)} UNION ALL {_evidence("compare", 2, _ITEM_EVENT)}))"""
