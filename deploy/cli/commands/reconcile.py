"""`tieline reconcile`: is what was streamed what the archive says?"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.commands.dead_letters import instant
from deploy.cli.commands.replay import shown
from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption
from deploy.csv_text import csv_text

if TYPE_CHECKING:
    from deploy.composition.reconcile import Reconciled
    from deploy.composition.target import Target
    from schemas.policy import PolicyBook

_LISTED = 50
_FIELDS = ("table", "kind", "process", "work_item", "episode_id", "rule", "part", "columns")


class Format(StrEnum):
    """How differences are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def reconcile(
    process: Annotated[str, typer.Option("--process", help="Only this process.")] = "",
    from_at: Annotated[str | None, typer.Option("--from", help="Episodes that start from then on.")] = None,
    to_at: Annotated[str | None, typer.Option("--to", help="Episodes that start before then.")] = None,
    policy: Annotated[
        list[Path] | None,
        typer.Option("--policy", help="Policy file or folder; may be repeated. [default: what live works with]"),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print differences.")] = Format.TABLE,
    data: DataOption = None,
) -> None:
    """Compute everything again from the archive and compare it with what was streamed. Changes nothing.

    Exit code 0 if all rows are as their events say, 1 if some are not.
    """
    from deploy.composition.reconcile import LAG_S, wall_clock
    from deploy.composition.reconcile import reconcile as run_reconcile
    from deploy.composition.target import AS_OF_ENV, find_target
    from sinks.clickhouse.archive_reader import Period

    target, now = find_target(data), datetime.now(UTC)
    period = Period(*(instant(text, now) if text else None for text in (from_at, to_at)))
    pinned = os.environ.get(AS_OF_ENV)
    at = datetime.fromisoformat(pinned).astimezone(UTC) if pinned else None
    with shown() as watcher:
        found = run_reconcile(
            target.clickhouse,
            _policies(policy, target),
            watcher,
            process=process,
            period=period,
            clock=(lambda: at) if at else wall_clock,
            lag_s=0.0 if at else LAG_S,
        )
    _print(found, output)
    if found.differences or found.windows:
        raise typer.Exit(FAILED_EXIT_CODE)


def _policies(given: list[Path] | None, target: Target) -> PolicyBook:
    """What the apps use: as given, else as live has written it down, else where the apps would look."""
    from deploy.composition.target import policy_paths
    from deploy.policy_files import load_policy_book
    from sinks.clickhouse.run_policy import policy_book
    from sinks.clickhouse.runs import LIVE, find_run
    from sinks.clickhouse.settings import connect

    if not given:
        client = connect(target.clickhouse)
        try:
            live = find_run(client, LIVE)
        finally:
            client.close()
        if live is not None and live.policy:
            return policy_book(live.policy)
    return load_policy_book(policy_paths(given, target.instance.folder if target.instance else None))


def _print(found: Reconciled, output: Format) -> None:
    if output is Format.TABLE:
        _print_table(found)
    elif output is Format.CSV:
        rows = ([*difference[:7], " ".join(difference.columns)] for difference in found.differences)
        typer.echo(csv_text(_FIELDS, rows), nl=False)
        _print_windows(found)
    else:
        content = {
            "events": found.events,
            "work_items": found.work_items,
            "rows": found.rows,
            "unusable": found.unusable,
            "differences": [difference._asdict() for difference in found.differences],
            "windows": [window._asdict() | {"period_start": str(window.period_start)} for window in found.windows],
        }
        typer.echo(json.dumps(content, indent=2))


def _print_table(found: Reconciled) -> None:
    out.print(f"{found.events:,} events of {found.work_items:,} work items, {found.rows:,} rows compared")
    if found.unusable:
        out.print(f"left out: {found.unusable:,} archived payloads that are no events", style="yellow")
    for (table, kind), number in sorted(Counter(each[:2] for each in found.differences).items()):
        out.print(f"{number:,} rows of {table}: {kind}", style="bold red")
    if found.differences:
        listed = Table("table", "kind", "process", "work item", "episode", "rule", "columns that differ")
        for each in found.differences[:_LISTED]:
            listed.add_row(*map(escape, each[:6]), ", ".join(each.columns))
        out.print(listed)
        if len(found.differences) > _LISTED:
            out.print(f"… and {len(found.differences) - _LISTED:,} more: --format csv lists them all", style="dim")
    _print_windows(found)
    if not found.differences and not found.windows:
        out.print("no differences", style="green")


def _print_windows(found: Reconciled) -> None:
    if found.windows:
        err.print(f"{len(found.windows):,} windows are not what their evidence adds up to", style="bold red")
