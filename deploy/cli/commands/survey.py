"""`tieline survey`: a customer's own survey results, and how far the proxies go along with them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from deploy.cli.commands.dead_letters import instant
from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption, PolicyOption

if TYPE_CHECKING:
    from deploy.composition.survey import CalibrationRow
    from deploy.composition.target import Target
    from schemas.events.survey import SurveyScored
    from streams.gateway.survey_import import SurveyResults

app = typer.Typer(help="Results of your own survey, beside the proxies.", no_args_is_help=True)

ProcessOption = Annotated[str, typer.Option("--process", help="Process that the survey was about.")]
SomeProcess = Annotated[str | None, typer.Option("--process", help="Only this process. [default: all]")]


@app.command("import")
def import_survey(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with the columns rater_role, rated_role, dimension, mean (1 to 5), n; site if you like.",
            exists=True,
            dir_okay=False,
        ),
    ],
    process: ProcessOption,
    survey: Annotated[str, typer.Option("--survey", help="Id of the survey, such as 2026-spring.")],
    at: Annotated[str, typer.Option("--at", help="When it was taken: 2026-03-01, or 2026-03-01T08:00:00Z.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
    policy: PolicyOption = None,
    data: DataOption = None,
) -> None:
    """Import survey results that are added up by roles already. Means of too few raters are refused."""
    from deploy.composition.reading import reading
    from deploy.composition.survey import refuse_other_contents
    from deploy.composition.target import find_target

    target = find_target(data)
    results = _results(file, process, survey, at, policy, target)
    _say(results, process, survey)
    if not results.events:
        err.print("no result was left to import", style="bold red")
        raise typer.Exit(FAILED_EXIT_CODE)
    with reading(data) as reader:
        there = refuse_other_contents(reader, results.events)
    if there == len(results.events):
        out.print("all of it is there already; nothing was sent", style="dim")
        return
    if not yes:
        typer.confirm("Import it?", abort=True)
    out.print(f"{asyncio.run(_send(target, results.events)):,} results imported", style="bold")


def _results(file: Path, process: str, survey: str, at: str, policy: PolicyOption, target: Target) -> SurveyResults:
    from pydantic import ValidationError

    from deploy.composition.target import policy_paths
    from deploy.policy_files import load_policy_book
    from streams.gateway.survey_import import read_survey, survey_results

    now = datetime.now(UTC)
    taken_at = instant(at, now)
    if taken_at > now + timedelta(hours=1):
        raise typer.BadParameter("--at lies in the future")
    rows = read_survey(file)
    book = load_policy_book(policy_paths(policy, target.instance.folder if target.instance else None))
    try:
        return survey_results(rows, process=process, survey=survey, at=taken_at, policy=book.newest(process))
    except ValidationError as error:
        fields = ", ".join(sorted({str(problem["loc"][-1]) for problem in error.errors()}))
        raise typer.BadParameter(f"--process, --survey or --at: not allowed in an event ({fields})") from None


def _say(results: SurveyResults, process: str, survey: str) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("process", process)
    table.add_row("survey", survey)
    table.add_row("results", f"{len(results.events):,}")
    table.add_row("dimensions", ", ".join(sorted({event.data.dimension for event in results.events})))
    if results.renamed:
        table.add_row("roles under another name in the policy", f"{results.renamed:,}")
    out.print(table)
    if results.refused_lines:
        lines = ", ".join(map(str, results.refused_lines[:20])) + (" …" if len(results.refused_lines) > 20 else "")
        refused = f"{len(results.refused_lines):,} means of fewer than {results.least_raters} raters"
        out.print(f"refused: {refused}, in lines {lines}", style="yellow")
    if results.unlisted:
        out.print(
            f"hint: the policy of this process does not list {results.unlisted:,} of the roles: ties have other names,"
            " so nothing will stand beside them",
            style="yellow",
        )


async def _send(target: Target, events: tuple[SurveyScored, ...]) -> int:
    from deploy.composition.send import send

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("sending and storing", total=None)
        return await send(
            target, events, lambda behind: progress.update(task, description=f"storing, {behind:,} records ahead")
        )


@app.command("list")
def list_surveys(process: SomeProcess = None, data: DataOption = None) -> None:
    """List the surveys that there are."""
    from deploy.composition.reading import reading
    from deploy.composition.survey import surveys

    with reading(data) as reader:
        found = surveys(reader, process or "")
    table = Table(
        *_whole("process", "survey", "taken", "ties", "shown", "hidden"), Column("dimensions", overflow="fold")
    )
    for row in found:
        table.add_row(
            row["process"],
            row["survey"],
            f"{row['at']:%Y-%m-%d}",
            f"{row['ties']:,}",
            f"{row['shown']:,}",
            f"{row['hidden']:,}",
            ", ".join(row["dimensions"]),
        )
    out.print(table)
    out.print("shown, hidden: results of enough raters, and of too few", style="dim")
    out.print(f"{len(found):,} surveys", style="dim")


@app.command("calibration")
def show_calibration(
    process: SomeProcess = None,
    survey: Annotated[str | None, typer.Option("--survey", help="Only this survey. [default: all]")] = None,
    run: Annotated[str, typer.Option("--run", help="Run whose proxies are held against it.")] = "live",
    data: DataOption = None,
) -> None:
    """Hold the proxies of the 90 days before a survey against it: rank correlation over ties, with its interval."""
    from deploy.composition.reading import reading
    from deploy.composition.survey import beside_proxy, calibrations, surveys

    with reading(data) as reader:
        chosen = [row for row in surveys(reader, process or "") if survey in (None, row["survey"])]
        rows = [
            row
            for each in chosen
            for row in beside_proxy(reader, process=each["process"], survey=each["survey"], run=run)
        ]
    if not chosen:
        err.print("there is no such survey", style="bold red")
        raise typer.Exit(FAILED_EXIT_CODE)
    others = ("dimension", "ties", "roles", "correlation", "verdict")
    table = Table(*_whole("process", "survey"), *(Column(header, overflow="fold") for header in others))
    for found in calibrations(rows):
        table.add_row(*_calibration_cells(found))
    out.print(table)
    out.print(
        "Raters are the experiencers, rated are the communicators; the interval holds the true value in about 9 of 10"
        " cases. Not validated here: fewer than 20 ties or 7 roles, or an interval that holds 0. Figures of events are"
        " proxies of relational coordination, whatever stands here.",
        style="dim",
    )


def _whole(*headers: str) -> list[Column]:
    """Columns whose cells are not cut."""
    return [Column(header, no_wrap=True) for header in headers]


def _calibration_cells(row: CalibrationRow) -> list[str]:
    found = row.found
    figure = (
        "–"
        if found.correlation is None or found.low is None or found.high is None
        else f"{found.correlation:.2f} ({found.low:.2f} to {found.high:.2f})"
    )
    name = row.dimension.replace("_", " ") + (" (inferred)" if row.origin == "inferred" else "")
    return [row.process, row.survey, name, f"{found.ties:,}", f"{found.roles:,}", figure, found.verdict]
