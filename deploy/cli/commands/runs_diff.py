"""`tieline runs diff`: what differs between two runs, by how much, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from deploy.cli.console import err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.run_diff import RunDiff
    from sinks.clickhouse.run_diff import TieKey


class Format(StrEnum):
    """How a diff is written."""

    TABLE = "table"
    CSV = "csv"
    HTML = "html"


def diff(
    a: Annotated[str, typer.Argument(help="A run.")],
    b: Annotated[str, typer.Argument(help="The run it is compared with.")],
    process: Annotated[str, typer.Option("--process", help="Only this process.")] = "",
    first: Annotated[str, typer.Option("--from", help="From the period that this day is in: 2026-03-01.")] = "",
    after: Annotated[str, typer.Option("--to", help="Until before this day; its period is taken whole.")] = "",
    events: Annotated[
        bool, typer.Option("--events", help="List ids of events that only one run has met: for auditors.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    to_file: Annotated[Path | None, typer.Option("--out", help="File. [default: standard output]")] = None,
    data: DataOption = None,
) -> None:
    """Compare two runs: which ties differ, by how much, whether beyond the interval, and why.

    Only periods that may be shown in both runs are compared. Promotions play no part: live is compared as it is.
    """
    from deploy.composition.run_diff import diff_runs
    from deploy.composition.run_diff_page import to_csv, to_html
    from deploy.composition.runs import store_of_runs
    from sinks.clickhouse.run_diff import FIRST, LAST, Asked

    asked = Asked(a, b, process, _day(first, "--from", FIRST), _day(after, "--to", LAST))
    with store_of_runs(data) as client, Progress(console=err, transient=True) as progress:
        task = progress.add_task("comparing", total=None)
        found = diff_runs(
            client, asked, events=events, told=lambda done, of: progress.update(task, completed=done, total=of)
        )
    if output is Format.TABLE:
        _print(found, to_file)
        return
    text = to_csv(found) if output is Format.CSV else to_html(found)
    if to_file is None:
        typer.echo(text, nl=False)
        return
    _write(to_file, text)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot be written: {error.strerror}", param_hint="--out") from None
    err.print(f"written: {path}", markup=False)


def _day(text: str, option: str, otherwise: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else otherwise
    except ValueError:
        raise typer.BadParameter("expected a day such as 2026-03-01", param_hint=option) from None


def _print(found: RunDiff, to_file: Path | None) -> None:
    if to_file is None:
        _tables(found)
        return
    with out.capture() as captured:
        _tables(found)
    _write(to_file, captured.get())


def _tables(found: RunDiff) -> None:
    out.print(f"A is {found.a.run}, B is {found.b.run}; 90 % intervals", markup=False)
    for run in found.unfinished:
        out.print(f"run {run} is not finished", markup=False)
    if found.settings:
        settings = Table("made otherwise", "A", "B")
        for setting in found.settings:
            settings.add_row(*map(escape, setting))
        out.print(settings)
    _print_lines(found)
    _print_changed(found)
    out.print(f"{len(found.same):,} ties and dimensions are the same in both")
    _print_ties("not in both: no period may be shown in both", found.not_in_both)
    for process, run, event in found.events:
        out.print(f"only {run} has met {event} ({process})", markup=False, soft_wrap=True)


def _print_lines(found: RunDiff) -> None:
    from deploy.composition.run_diff import line_text

    if not found.policies_known:
        out.print("one of the runs has not written down its policy: no policy lines can be compared")
    if found.lines:
        table = Table("", "policy line that differs", "evidence", "ties")
        for number, effect in enumerate(found.lines, 1):
            table.add_row(str(number), escape(line_text(effect.line)), f"{effect.rows:,}", f"{len(effect.ties):,}")
        out.print(table)


def _print_changed(found: RunDiff) -> None:
    from deploy.composition.run_diff_page import beyond_text, interval, rows_text, share

    if not found.changed:
        out.print("no tie that may be shown in both runs differs")
        return
    table = Table("tie", "dimension", "A", "B", "change", "beyond", "evidence", "why")
    for each in found.changed:
        shown = each.figures
        table.add_row(
            escape(_tie(each.tie)),
            each.tie.dimension,
            share(shown.value_a, shown.n_a),
            share(shown.value_b, shown.n_b),
            interval(each),
            beyond_text(each),
            escape(rows_text(each)),
            escape("\n".join(each.why)),
        )
    out.print(table)


def _print_ties(title: str, ties: Sequence[TieKey]) -> None:
    if ties:
        out.print(f"{title}:")
    for tie in ties:
        out.print(f"    {_tie(tie)}, {tie.dimension}", markup=False, soft_wrap=True)


def _tie(tie: TieKey) -> str:
    return f"{tie.process}: {tie.communicator_role} → {tie.experiencer_role} ({tie.origin})"
