"""`tieline demo`: the whole path on a simulated hospital and help desk, or on a log of your own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.commands.import_log import open_log, print_counts, run_import, show_behind
from deploy.cli.commands.up import say, say_addresses
from deploy.cli.console import err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.feed import Feed
    from deploy.composition.target import Target
    from streams.gateway.log_import import LogImport
    from streams.simulation.scenario import Scenario

SEED = 7
WEEKS = 6
RATE = 2.0
PROCESSES = ("ed-to-ward", "incident")
_STATUS_EVERY_S = 15.0
_MARK = "scenario-end"


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the summary.")] = False,
    data: DataOption = None,
    log: Annotated[Path | None, typer.Option("--log", help="Event log to show instead.", dir_okay=False)] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Mapping file of the log.")] = None,
    weeks: Annotated[int, typer.Option("--weeks", help="Weeks of the scenario's history.", min=1, max=520)] = WEEKS,
) -> None:
    """Start everything embedded, stream a scenario (or a log) through Kafka, and show handoffs and ties."""
    from deploy.composition.embedded import Embedded
    from deploy.composition.target import BUNDLED_POLICIES, data_dir

    folder = data_dir(data) / "demo" if data is None else data
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = open_log(log, mapping, None, folder / "actor.key") if log is not None else None

    async def feed(target: Target) -> None:
        say_addresses(target)
        if source is not None:
            await _show_log(source, target, once)
        else:
            await _show_scenario(target, folder, once, weeks)

    out.print("starting broker, store, infer, sink and the board", style="bold")
    started_s = time.monotonic()
    asyncio.run(Embedded(folder, [BUNDLED_POLICIES], say, feed).run())
    out.print(f"stopped after {time.monotonic() - started_s:.0f} s, everything ended", style="dim")


async def _show_scenario(target: Target, folder: Path, once: bool, weeks: int) -> None:
    from deploy.composition.drain import drained
    from deploy.composition.feed import feed_to
    from streams.gateway.actors import read_or_create_actor_key
    from streams.simulation.scenario import Scenario

    key = read_or_create_actor_key(folder / "actor.key")
    end, streamed = await asyncio.to_thread(_history_end, folder)
    scenario = Scenario(SEED, end, key.hash_actor, weeks)
    async with feed_to(target.broker) as feed:
        with _progress() as progress:
            if streamed:
                out.print("the scenario is in this data folder already; it goes on where it was", style="dim")
            else:
                await _stream_history(scenario, feed, progress)
            storing = progress.add_task("folding and storing", total=None)
            await drained(target.broker, feed.producer, lambda behind: show_behind(progress, storing, behind))
            progress.update(storing, total=1, completed=1)
        await asyncio.to_thread(_mark_streamed, folder, end)
        _print_summary(target, PROCESSES, end - timedelta(weeks=weeks + 1), datetime.now(UTC) + timedelta(days=7))
        if not once:
            await _stream_live(scenario, feed, target)


def _history_end(folder: Path) -> tuple[datetime, bool]:
    """When the scenario's history ends, and whether this folder has it already."""
    try:
        return datetime.fromisoformat((folder / _MARK).read_text()), True
    except (OSError, ValueError):
        return datetime.now(UTC), False


def _mark_streamed(folder: Path, end: datetime) -> None:
    (folder / _MARK).write_text(end.isoformat())


async def _stream_history(scenario: Scenario, feed: Feed, progress: Progress) -> None:
    from schemas.topics import event_key

    events = await asyncio.to_thread(lambda: [(event_key(event), event.canonical()) for event in scenario.history()])
    sending = progress.add_task(f"streaming {scenario.weeks} weeks of events", total=len(events))
    await feed.send(events, lambda number: progress.advance(sending, number))


async def _stream_live(scenario: Scenario, feed: Feed, target: Target) -> None:
    """Go on in real time, an hour of work in a minute, until somebody stops it."""
    from schemas.topics import event_key

    out.print(f"\nlive: about {RATE:.0f} events a second keep coming; Ctrl-C ends it", style="bold")
    if target.instance is not None:
        out.print(f"look at them on the board: {target.instance.board_url}", style="bold", markup=False)
    said_at_s = time.monotonic()
    for sent, (at, event) in enumerate(scenario.live(datetime.now(UTC), RATE), start=1):
        await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        await feed.send_chunk([(event_key(event), event.canonical())])
        if time.monotonic() - said_at_s >= _STATUS_EVERY_S:
            said_at_s = time.monotonic()
            out.print(await asyncio.to_thread(_live_line, target, sent), style="dim", markup=False)


def _live_line(target: Target, sent: int) -> str:
    from sinks.clickhouse.settings import connect

    client = connect(target.clickhouse)
    try:
        waiting, overdue = client.query(
            "SELECT count(), countIf(accept_due_at < now64(6)) FROM open_handoffs"
        ).result_rows[0]
    finally:
        client.close()
    return f"{datetime.now():%H:%M:%S}  {sent} events sent live, {waiting} handoffs open, {overdue} of them overdue"


async def _show_log(log: LogImport, target: Target, once: bool) -> None:
    with _progress() as progress:
        await run_import(log, target, progress, wait=True)
    print_counts(log)
    first, last = log.counts.first_at, log.counts.last_at
    if first is not None and last is not None:
        _print_summary(target, _processes(target), first - timedelta(days=100), last + timedelta(days=100))
    if not once:
        out.print("\nrunning; Ctrl-C ends it", style="bold")
        await asyncio.Event().wait()


def _processes(target: Target) -> list[str]:
    from sinks.clickhouse.settings import connect

    client = connect(target.clickhouse)
    try:
        return [row[0] for row in client.query("SELECT DISTINCT process FROM handoffs ORDER BY process").result_rows]
    finally:
        client.close()


def _print_summary(target: Target, processes: tuple[str, ...] | list[str], start: datetime, end: datetime) -> None:
    from deploy.cli.summary import print_all
    from sinks.clickhouse.settings import connect
    from sinks.clickhouse.windows import refresh_priors

    client = connect(target.clickhouse)
    try:
        refresh_priors(client, "live")  # the sink does it in a moment; nobody should wait for that here
        print_all(out, client, processes, start, end)
    finally:
        client.close()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err
    )
