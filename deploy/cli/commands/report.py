"""`tieline report`: what a team talks over, as one page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.cli.commands.dead_letters import instant
from deploy.cli.console import err, out
from deploy.cli.options import DataOption


def report(
    since: Annotated[str, typer.Option("--from", help="Begin of the time: 2026-01-01, or 90d for so long ago.")],
    output: Annotated[Path, typer.Option("--out", help="The page, such as report.html.", dir_okay=False)],
    until: Annotated[str | None, typer.Option("--to", help="End of the time. [default: now]")] = None,
    run: Annotated[str, typer.Option("--run", help="Run that is reported.")] = "live",
    compare: Annotated[str | None, typer.Option("--compare", help="Run to compare with.")] = None,
    process: Annotated[str | None, typer.Option("--process", help="Only this process. [default: all]")] = None,
    site: Annotated[str | None, typer.Option("--site", help="Only this site. [default: all]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file, if it is there.")] = False,
    data: DataOption = None,
) -> None:
    """Write a retrospective report: one page to read, print and talk over, made from what every reader may see."""
    from deploy.composition.reading import reading
    from deploy.composition.report import chosen_processes, for_process, gather
    from deploy.report.asked import Asked
    from deploy.report.questions import STATEMENTS
    from deploy.report.report import report as written
    from deploy.whole_file import whole_file
    from schemas.errors import ConfigError

    now = datetime.now(UTC)
    start, end = instant(since, now), instant(until, now) if until else now
    if start >= end:
        raise typer.BadParameter("--from is not before --to")
    if output.exists() and not force:
        raise ConfigError(f"{output} is there already; --force replaces it")
    asked = Asked(process or "", start, end, run, site or "", compare or "")
    with _progress() as progress, reading(data) as reader:
        names = chosen_processes(reader, asked)
        steps = progress.add_task("asking", total=len(names) * (len(STATEMENTS) + 2) + 1)

        def said(name: str) -> None:
            progress.update(steps, description=f"asking: {name}", advance=1)

        findings = [gather(reader, for_process(asked, name), said) for name in names]
        progress.update(steps, description="drawing")
        with whole_file(output, replace=force) as file:
            file.write(written(findings).encode())
        progress.update(steps, description="done", completed=len(names) * (len(STATEMENTS) + 2) + 1)
    out.print(
        f"{output}: {len(names)} processes, {output.stat().st_size / 1024:,.0f} KiB", markup=False, soft_wrap=True
    )


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err)
