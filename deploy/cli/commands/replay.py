"""`tieline replay`: history through the same fold, into a run of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from deploy.cli.commands.dead_letters import instant
from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.replay.replay import Replayed
    from deploy.composition.replay.request import Request
    from deploy.composition.target import Target
    from streams.event_files.event_file import Meaning
    from streams.event_files.report import FileReport
    from streams.replay.source import Source

FromOption = Annotated[
    str | None, typer.Option("--from", help="Keep what starts from then on: 2026-03-01, 2026-03-01T08:00:00Z, or 7d.")
]
ToOption = Annotated[str | None, typer.Option("--to", help="Keep what starts before then.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="What is known later is not seen. [default: the newest event]")
]

_COUNTED = ("replaying", "comparing rows")


def replay(
    run: Annotated[str, typer.Option("--run", help="Name of the run that is made; never `live`.")],
    from_at: FromOption = None,
    to_at: ToOption = None,
    as_of: AsOfOption = None,
    process: Annotated[str, typer.Option("--process", help="Only this process.")] = "",
    role: Annotated[str, typer.Option("--role", help="Only ties of this role, by its normal name.")] = "",
    policy: Annotated[
        list[Path] | None,
        typer.Option("--policy", help="Policy file or folder; may be repeated. [default: as the apps use]"),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="`archive`, or event files; may be repeated. [default: archive]"),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="How attributes of a log file become events.", exists=True)
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Processes that fold.", min=1, max=64)] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with this run, if it was interrupted.")] = False,
    max_rate: Annotated[
        float,
        typer.Option(
            "--max-rate",
            help="Events per second, all workers together. [default: no limit]",
            min=0,
            show_default=False,
        ),
    ] = 0.0,
    data: DataOption = None,
) -> None:
    """Fold history again, whole work items at one instant, into the same tables under another run.

    `live` is never touched. The same events, policy, method and as-of give the same content hash, whatever the
    number of workers or the order. Interrupted, it can be continued with --resume.
    """
    from deploy.composition.replay.replay import Effort
    from deploy.composition.replay.replay import replay as run_replay
    from deploy.composition.target import find_target

    target = find_target(data)
    request = _request(run, from_at, to_at, as_of, process, role, policy, target)
    began_s = time.monotonic()
    with shown() as watcher, ended_by_sigterm():
        try:
            with _source(source or [], mapping, process, target, data, watcher) as (chosen, report):
                effort = Effort(workers, max_rate)
                replayed = run_replay(target.clickhouse, request, chosen, effort, watcher, resume)
        except KeyboardInterrupt:
            watcher.close()
            err.print(f"interrupted; `tieline replay --run {run} --resume` goes on", style="bold red", markup=False)
            raise typer.Exit(FAILED_EXIT_CODE) from None
    _print(replayed, time.monotonic() - began_s)
    if not _whole(report):
        raise typer.Exit(FAILED_EXIT_CODE)


def _request(
    run: str,
    from_at: str | None,
    to_at: str | None,
    as_of: str | None,
    process: str,
    role: str,
    policy: list[Path] | None,
    target: Target,
) -> Request:
    from deploy.composition.replay.request import Request
    from deploy.composition.target import policy_paths
    from deploy.policy_files import load_policy_book

    now = datetime.now(UTC)
    folder = target.instance.folder if target.instance else None
    # A run that goes on has its policy already; only one that is given is compared with it.
    given = load_policy_book(policy_paths(policy, folder)) if policy else None
    usual = load_policy_book(policy_paths(None, folder)) if given is None else None
    first, last, known = (instant(text, now) if text else None for text in (from_at, to_at, as_of))
    return Request(run, first, last, known, process, role, given, usual)


@contextmanager
def _source(
    names: list[str], mapping: Path | None, process: str, target: Target, data: Path | None, watcher: _Watcher
) -> Iterator[tuple[Source, FileReport]]:
    from deploy.composition.replay.archive import ARCHIVE, ArchiveSource
    from streams.event_files.report import FileReport
    from streams.event_files.source import open_event_files

    report = FileReport()
    if names in ([], [ARCHIVE]):
        yield ArchiveSource(target.clickhouse), report
        return
    if ARCHIVE in names:
        raise typer.BadParameter("the archive and files cannot be mixed", param_hint="--source")
    watcher.stage("reading files")
    paths, meaning = [Path(name) for name in names], _meaning(mapping, process, data)
    with open_event_files(paths, meaning, report=report, progress=watcher.read) as files:
        yield files, report


def _meaning(mapping: Path | None, process: str, data: Path | None) -> Meaning:
    """What a log's attributes mean; actors are hashed with the same key as `tieline import` does."""
    from deploy.composition.target import data_dir
    from streams.event_files.event_file import Meaning
    from streams.gateway.actors import read_or_create_actor_key
    from streams.gateway.log_import import read_mapping

    if mapping is None:
        return Meaning()
    key = read_or_create_actor_key(data_dir(data) / "actor.key")
    return Meaning(read_mapping(mapping), process or None, key)


class _Watcher:
    """The progress bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def stage(self, what: str, total: int | None = None) -> None:
        """See `Watcher`."""
        self.close()
        self._task = self._progress.add_task(what, total=total)

    def passed(self, events: int) -> None:
        """See `Watcher`."""
        if self._task is not None:
            self._progress.advance(self._task, events)

    def read(self, done: int, total: int) -> None:
        """So much of the files has been read."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """The stage is over."""
        if self._task is not None:
            total = max(1, int(self._progress.tasks[self._task].completed))
            self._progress.update(self._task, total=total, completed=total)
            self._task = None


class _Rate(ProgressColumn):
    """Events so far, and how many a second."""

    def render(self, task: Task) -> Text:
        """Nothing for stages that count no events."""
        if task.completed <= 1 or not task.description.startswith(_COUNTED):
            return Text("")
        speed = task.finished_speed or task.speed
        return Text(f"{int(task.completed):,} events" + (f", {speed:,.0f}/s" if speed else ""))


@contextmanager
def shown() -> Iterator[_Watcher]:
    """Stages with a bar each; on standard error."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), _Rate(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=err) as progress:
        watcher = _Watcher(progress)
        yield watcher
        watcher.close()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM as Ctrl-C: workers are ended, the run is marked, and can be resumed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(replayed: Replayed, took_s: float) -> None:
    record, tally = replayed.record, replayed.tally
    table = Table("", "rows", title=f"run {record.run}", title_justify="left")
    for name, content in replayed.contents.items():
        table.add_row(name, f"{content.rows:,}")
    out.print(table)
    rate = tally.events / took_s if took_s else 0.0
    out.print(
        f"{record.events:,} events of {record.work_items:,} work items as of {record.as_of:%Y-%m-%d %H:%M:%S} UTC"
    )
    out.print(f"this time {tally.events:,} events in {took_s:.1f} s, {rate:,.0f} per second", style="dim")
    for code, number in sorted(tally.unusable.items()):
        out.print(f"left out: {number:,} stored events that cannot be read: {code}", style="yellow", markup=False)
    if tally.oversize:
        out.print(f"left out: {tally.oversize:,} work items with more than 10,000 events", style="yellow")
    if not any(content.rows for content in replayed.contents.values()):
        out.print("no row was kept: are the period, the process and the role right?", style="yellow")
    out.print(f"content hash {record.content_hash}", markup=False, soft_wrap=True)


def _whole(report: FileReport) -> bool:
    """Say what could not be used of files; whether all of them were read to their end."""
    for code, number in sorted(report.codes.items()):
        err.print(f"left out: {number:,} events of the files: {code}", style="yellow", markup=False)
    for unreadable in report.unreadable:
        err.print(f"reading stopped, what came before was used: {unreadable}", style="bold red", markup=False)
    return not report.unreadable
