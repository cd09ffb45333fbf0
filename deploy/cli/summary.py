"""What a person sees of Tieline in a terminal: open handoffs, and ties with their four dimensions. Same views as
everywhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.vocabulary import DIMENSIONS

_TITLES = {
    "frequency": "frequency",
    "timeliness": "timeliness",
    "accuracy": "accuracy",
    "problem_solving": "problem-solving",
}
_MOST_HANDOFFS = 12
Row = dict[str, Any]


def rows_of(client: Client, sql: str, **parameters: Any) -> list[Row]:
    """A query's rows by column name."""
    return list(client.query(sql, parameters=parameters).named_results())


def open_handoffs(client: Client, processes: Sequence[str]) -> RenderableType:
    """Open handoffs, the overdue first."""
    rows = rows_of(
        client,
        "SELECT * FROM open_handoffs WHERE process IN {processes:Array(String)}"
        " ORDER BY accept_due_at IS NULL, accept_due_at, offered_at",
        processes=list(processes),
    )
    table = Table(title=f"Open handoffs ({len(rows)})", title_justify="left", caption_justify="left", box=SIMPLE_HEAD)
    for column in ("process", "to role", "from role", "site", "work item", "waiting", "due"):
        table.add_column(column, justify="right" if column == "waiting" else "left")
    now = datetime.now(UTC)
    for row in rows[:_MOST_HANDOFFS]:
        waited = _duration((now - _utc(row["offered_at"])).total_seconds())
        table.add_row(
            row["process"], row["to_role"], row["from_role"], row["site"], row["work_item"], waited, _due(row, now)
        )
    if len(rows) > _MOST_HANDOFFS:
        table.caption = f"and {len(rows) - _MOST_HANDOFFS} more"
    return table


def ties(client: Client, process: str, start: datetime, end: datetime) -> RenderableType:
    """One row for each tie of a process, one column for each dimension."""
    found: dict[tuple[str, str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows_of(
        client,
        "SELECT * FROM ties(run={run:String}, from={start:String}, to={end:String}, process={process:String}, site='')",
        run="live",
        start=f"{start:%Y-%m-%d %H:%M:%S}",
        end=f"{end:%Y-%m-%d %H:%M:%S}",
        process=process,
    ):
        key = (row["communicator_role"], row["experiencer_role"], row["origin"])
        found[key][row["dimension"]] = row
    table = Table(title=f"Ties of {process}", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 1, 0))
    table.add_column("communication of\n→ experienced by", no_wrap=True)
    for dimension in DIMENSIONS:
        table.add_column(f"{_TITLES[dimension]}\n", min_width=12)
    for (communicator, experiencer, _), cells in sorted(found.items()):
        tie = f"{communicator}\n→ {experiencer}"
        table.add_row(tie, *(_cell(cells.get(dimension)) for dimension in DIMENSIONS))
    return table


def legend() -> RenderableType:
    """How to read the tables."""
    return Text(
        "How to read it. A row is one role's communication as the other role experiences it; rows are in alphabetical"
        " order, there is no ranking. A figure is the share of observations that went well (1 is all of them), with the"
        " number n of observations and, below, the interval that holds the true value in 9 of 10 cases.\n"
        "not observed: the sources do not record both outcomes. hidden: too few people: fewer than five on one side, or"
        " one person behind more than half. not enough data: fewer than ten work items in every period. Each of these"
        " is an answer; none of them is a zero.",
        style="dim",
    )


def print_all(console: Console, client: Client, processes: Iterable[str], start: datetime, end: datetime) -> None:
    """Open handoffs, then the ties of each process."""
    names = list(processes)
    parts: list[RenderableType] = [open_handoffs(client, names)]
    for process in names:
        parts += [Text(""), ties(client, process, start, end)]
    console.print(Group(*parts, legend()))


def _cell(row: Row | None) -> Text:
    if row is None:
        return Text("not observed", style="dim")
    if row["status"] != "shown":
        return Text(str(row["status"]), style="dim")
    return Text(f"{row['estimate']:.2f}  n {row['n']}\n[{row['low']:.2f}–{row['high']:.2f}]")


def _due(row: Row, now: datetime) -> Text:
    if row["accept_due_at"] is None:
        return Text("no target", style="dim")
    left_s = (_utc(row["accept_due_at"]) - now).total_seconds()
    return Text(f"in {_duration(left_s)}") if left_s >= 0 else Text(f"overdue by {_duration(-left_s)}", style="bold")


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _duration(seconds: float) -> str:
    """Two units at most: a glance is enough."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
