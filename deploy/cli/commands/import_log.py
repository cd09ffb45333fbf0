"""`tieline import`: an event log becomes events on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from deploy.cli.console import FAILED_EXIT_CODE, err, out, progress_bar
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.target import Target
    from streams.gateway.actors import ActorKey
    from streams.gateway.log_import import LogImport, LogUnreadable

Pair = tuple[bytes | None, bytes | None]


def import_log(
    file: Annotated[Path, typer.Argument(help="XES, CSV or NDJSON file, also as .gz.", exists=True, dir_okay=False)],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="How the log's attributes become events. Not for NDJSON.")
    ] = None,
    process: Annotated[str | None, typer.Option("--process", help="Process name, instead of the mapping's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is sent.")] = False,
    actor_key: Annotated[
        Path | None,
        typer.Option("--actor-key", help="Key file for actor hashes. [default: actor.key in the data folder]"),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Return only when the store has everything.")] = True,
    data: DataOption = None,
) -> None:
    """Import an event log: map it, send it, and wait until its handoffs can be queried."""
    from deploy.composition.target import data_dir, find_target

    log = open_log(file, mapping, process, actor_key or data_dir(data) / "actor.key", dry_run)
    target = None if dry_run else find_target(data)
    with progress_bar() as progress:
        unreadable = asyncio.run(run_import(log, target, progress, wait))
    print_counts(log)
    if not log.counts.mapped:
        err.print("no event was mapped", style="bold red")
    if unreadable is not None:
        err.print(f"reading stopped, what came before was used: {unreadable}", style="bold red", markup=False)
    if unreadable is not None or not log.counts.mapped:
        raise typer.Exit(FAILED_EXIT_CODE)


def open_log(file: Path, mapping: Path | None, process: str | None, key_file: Path, dry_run: bool = False) -> LogImport:
    """The log, ready to be read. A dry run hashes actors with a key that is thrown away.

    Raises: ConfigError: mapping, key or file are wrong.
    """
    from streams.gateway.actors import new_actor_key, read_or_create_actor_key
    from streams.gateway.log_import import LogImport, read_mapping

    chosen = read_mapping(mapping) if mapping is not None else None
    key: ActorKey | None = None
    if chosen is not None:
        key = new_actor_key() if dry_run else read_or_create_actor_key(key_file)
    return LogImport(file, chosen, process, key)


async def run_import(log: LogImport, target: Target | None, progress: Progress, wait: bool) -> LogUnreadable | None:
    """Send the log's events (nowhere, if there is no target), with progress; wait until the store has them.

    Returns: why reading stopped before the end of the file, if it did.
    """
    from deploy.composition.send import feed_of, stored

    reading = progress.add_task("reading", total=log.total_bytes)
    events = _Events(log, progress, reading)
    if target is None:
        for _ in events:
            pass
        return events.unreadable
    async with feed_of(target) as feed:
        await feed.send(events)
        progress.update(reading, completed=log.total_bytes)
        if wait:
            storing = progress.add_task("folding and storing", total=None)
            await stored(target, feed, lambda behind: show_behind(progress, storing, behind))
            progress.update(storing, total=1, completed=1)
    return events.unreadable


class _Events:
    """The mapped events of a log as records, moving a progress bar along."""

    def __init__(self, log: LogImport, progress: Progress, task: TaskID) -> None:
        self._log, self._progress, self._task = log, progress, task
        self.unreadable: LogUnreadable | None = None

    def __iter__(self) -> Iterator[Pair]:
        from streams.gateway.log_import import LogUnreadable, Mapped

        try:
            for number, outcome in enumerate(self._log):
                if number % 500 == 0:
                    self._progress.update(self._task, completed=self._log.bytes_read)
                if isinstance(outcome, Mapped):
                    yield outcome.key, outcome.value
        except LogUnreadable as error:
            self.unreadable = error


def print_counts(log: LogImport) -> None:
    """What was mapped, what was skipped and why."""
    counts = log.counts
    table = Table("", "events", title="import")
    table.add_row("read from the log", f"{counts.log_events:,}")
    for name, number in sorted(counts.mapped.items()):
        table.add_row(f"mapped to {name}", f"{number:,}")
    for reason, number in sorted(counts.skipped.items()):
        table.add_row(f"skipped: {reason}", f"{number:,}", style="yellow")
    for note, number in sorted(counts.notes.items()):
        table.add_row(f"noted: {note}", f"{number:,}", style="dim")
    out.print(table)
    first = counts.first_at.isoformat() if counts.first_at else "-"
    last = counts.last_at.isoformat() if counts.last_at else "-"
    out.print(f"{counts.work_items:,} work items, {counts.roles:,} roles, from {first} to {last}", markup=False)
    for hint in log.hints():
        out.print(f"hint: {hint}", style="yellow", markup=False)


def show_behind(progress: Progress, task: TaskID, behind: int) -> None:
    """Say how much is still on its way."""
    progress.update(task, description=f"folding and storing, {behind:,} records ahead")
