"""The rows of a run as they stand, as models, and windows beside what they would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from sinks.clickhouse.archive_reader import KeyRange, Period, between
from sinks.clickhouse.windows_sql import QUARTERS, UNCOMPILED, WINDOW, Window, reaggregate_quarter

_Row = TypeVar("_Row", bound=Row)
_AT: dict[type[Row], str] = {
    HandoffRow: "offered_at",
    ExchangeRow: "sent_at",
    ProblemRow: "raised_at",
    EvidenceRow: "at",
}
ROW_TYPES: tuple[type[Row], ...] = tuple(_AT)
_NOT_SAID = ("revision", "is_deleted")
_WRITTEN = ("version", "is_deleted")


def stored_rows(client: Client, kind: type[_Row], run: str, keys: KeyRange, period: Period) -> Iterator[_Row]:
    """The rows of one table for a range of work items, deleted ones left out; their revision is 0.

    Args:
        period: of the start of their episode.
    """
    columns = [name for name in kind.model_fields if name not in _NOT_SAID]
    conditions = [f"run = {{run:String}} AND {between(keys, 'work_item')}"]
    if period.from_at:
        conditions.append(f"{_AT[kind]} >= {{from_at:DateTime64(6, 'UTC')}}")
    if period.to_at:
        conditions.append(f"{_AT[kind]} < {{to_at:DateTime64(6, 'UTC')}}")
    sql = f"SELECT {', '.join(columns)} FROM {kind.table} FINAL WHERE {' AND '.join(conditions)}"
    given = {"run": run, **keys._asdict(), **{name: at for name, at in period._asdict().items() if at}}
    for row in client.query(sql, parameters=given, settings={"max_threads": 1}).result_rows:
        yield kind.model_validate(dict(zip(columns, row, strict=True)))


def stored_processes(client: Client, run: str) -> list[str]:
    """The processes that a run has rows of, or the archive has events of."""
    parts = [f"SELECT process FROM {kind.table} WHERE run = {{run:String}} GROUP BY process" for kind in ROW_TYPES]
    sql = " UNION DISTINCT ".join([*parts, "SELECT process FROM events GROUP BY process"])
    return sorted(str(row[0]) for row in client.query(sql, parameters={"run": run}).result_rows)


def windows_unlike_evidence(client: Client, run: str, process: str = "") -> list[Window]:
    """Windows of a run that are not what its evidence adds up to now; nothing is written.

    Cost: as `reaggregate_all`.
    """
    found: set[Window] = set()
    for (first,) in client.query(QUARTERS, parameters={"run": run}).result_rows:
        rows = client.query(_unlike(), parameters={"run": run, "first": first}).result_rows
        found.update(Window(*row) for row in rows)
    return sorted(window for window in found if not process or window.process == process)


def _unlike() -> str:
    """Both sides as one text for each window: what occurs once is on one side only."""
    head, _, select = reaggregate_quarter().removesuffix(f"SETTINGS {UNCOMPILED}").partition("SELECT")
    columns = [name.strip() for name in head[head.index("(") + 1 : head.rindex(")")].split(",")]
    said = ", ".join(name for name in columns if name not in _WRITTEN)
    starts = "run = {run:String} AND period_start >= {first:Date32} AND period_start < addMonths({first:Date32}, 3)"
    return f"""
SELECT DISTINCT {WINDOW} FROM
(
    SELECT {WINDOW}, toJSONString(tuple({said})) AS content FROM
    (
        SELECT {", ".join(columns)} FROM tie_windows FINAL WHERE {starts}
        UNION ALL
        SELECT {select}
    )
    WHERE is_deleted = 0
    GROUP BY {WINDOW}, content
    HAVING count() = 1
)
SETTINGS {UNCOMPILED}"""
