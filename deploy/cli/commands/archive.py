"""`tieline archive`: filling the archive of events, keeping a period of it as files, and bringing such files back."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.cli.commands.dead_letters import instant
from deploy.cli.console import FAILED_EXIT_CODE, err, out, progress_bar
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from deploy.composition.target import Target
    from sinks.clickhouse.archive_days import Selection
    from streams.event_files import FileReport

app = typer.Typer(help="The archive of all events: fill it, keep it as files, bring files back.", no_args_is_help=True)

FromOption = Annotated[str | None, typer.Option("--from", help="Event time from then on: 2026-03-01, or 7d ago.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Event time before: 2026-04-01, or 7d ago.")]
ProcessOption = Annotated[list[str] | None, typer.Option("--process", help="Only this process; may be repeated.")]
WholeOption = Annotated[
    bool,
    typer.Option(
        "--whole-items/--cut-items",
        help="All events of work items that have one in the period, as a replay needs them; or only those in it.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command()
def backfill(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Fill the archive with everything that Kafka still has. Safe to repeat; adds only what is missing."""
    from deploy.composition.archive_backfill import backfill as fill

    with archive_store(data) as (target, client), progress_bar() as bar:
        task = bar.add_task("reading tieline.events", total=None)
        found = asyncio.run(
            fill(client, target.broker, lambda done, of: bar.update(task, completed=done, total=of or 1))
        )
    if as_json:
        counts = {"records": found.records, "added": found.added, "known": found.known}
        typer.echo(json.dumps(counts | {"refused": dict(sorted(found.refused.items()))}))
        return
    out.print(f"{found.records:,} records read: {found.added:,} added, {found.known:,} already there")
    for code, number in sorted(found.refused.items()):
        out.print(f"{number:,} refused: {code}; see `tieline dead-letters list`", style="yellow", markup=False)


@app.command()
def export(
    to_folder: Annotated[Path, typer.Option("--out", help="Folder; a new one, or of an earlier export to go on with.")],
    from_: FromOption = None,
    to: ToOption = None,
    process: ProcessOption = None,
    whole_items: WholeOption = True,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write events as Parquet, a file for each day, with a manifest of checksums. Equal events give equal files."""
    from deploy.composition.archive_export import export_archive

    chosen = selection(from_, to, process, whole_items)
    with archive_store(data) as (_, client), progress_bar() as bar:
        task = bar.add_task("writing", total=None)
        done = export_archive(
            client, to_folder, chosen, lambda rows, of: bar.update(task, completed=rows, total=of or 1)
        )
    manifest = done.manifest
    if as_json:
        counts = {"events": manifest.rows, "days": len(manifest.files), "bytes": done.bytes}
        typer.echo(json.dumps(counts | {"written": done.written, "kept": done.kept}))
        return
    out.print(f"{manifest.rows:,} events of {len(manifest.files):,} days, {done.bytes:,} bytes", markup=False)
    out.print(f"{done.written:,} days written, {done.kept:,} were there as they are", style="dim", markup=False)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="What `tieline archive export` wrote.", exists=True, file_okay=False)],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Bring an exported archive into this store, for replays. Verified first, whole; `live` does not change.

    Exit code 78 if the folder is not exactly what its manifest says, 1 if some of its rows are no events.
    """
    from deploy.composition.archive_import import import_archive
    from streams.event_files import FileReport

    report = FileReport()
    with archive_store(data) as (_, client), progress_bar() as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("verifying", "writing")}
        done = import_archive(
            client,
            folder,
            datetime.now(UTC),
            report,
            lambda what, some, of: bar.update(tasks[what], completed=some, total=of or 1),
        )
    if as_json:
        counts = {"events": done.manifest.rows, "added": done.added, "known": done.known}
        typer.echo(json.dumps(counts | {"left_out": dict(sorted(report.codes.items()))}))
    else:
        out.print(f"{done.manifest.rows:,} events: {done.added:,} added, {done.known:,} already there", markup=False)
        out.print("`live` is as it was: `tieline replay` makes figures of them", style="dim", markup=False)
        print_left_out(report)
    if report.left_out:
        raise typer.Exit(FAILED_EXIT_CODE)


def selection(from_: str | None, to: str | None, process: list[str] | None, whole_items: bool = True) -> Selection:
    """The events that the options mean. Raises: typer.BadParameter: no such time, or an end before its beginning."""
    from sinks.clickhouse.archive_days import Selection

    now = datetime.now(UTC)
    from_at, to_at = (instant(text, now) if text else None for text in (from_, to))
    if from_at is not None and to_at is not None and from_at >= to_at:
        raise typer.BadParameter("--from is not before --to")
    return Selection(tuple(sorted(set(process or ()))), from_at, to_at, whole_items)


def print_left_out(report: FileReport) -> None:
    """What could not be used: by code, then the first of them by place."""
    if not report.left_out:
        return
    table = Table("left out", "events", title="Not used", title_justify="left")
    for code, number in sorted(report.codes.items()):
        table.add_row(code, f"{number:,}")
    err.print(table)
    for each in report.first[:20]:
        err.print(f"{each.file}: {each.where}: {each.code}", style="dim", markup=False, soft_wrap=True)


@contextmanager
def archive_store(data: Path | None) -> Iterator[tuple[Target, Client]]:
    """The store that is meant, of this version. Raises: TransientError: it is away. ConfigError: it is not migrated."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from deploy.composition.target import find_target
    from schemas.errors import TransientError
    from sinks.clickhouse.faults import fault_of
    from sinks.clickhouse.migrate import require_current
    from sinks.clickhouse.settings import connect

    # It logs the traceback of a connection that breaks off; people get one line from us.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    target = find_target(data)
    client = connect(target.clickhouse)
    try:
        require_current(client)
        yield target, client
    except ClickHouseError as error:
        raise TransientError(f"the store: {fault_of(error).label}") from None
    finally:
        client.close()
