"""`tieline status`: is everything there, and how far behind is it?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.cli.console import UNAVAILABLE_EXIT_CODE, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from deploy.composition.target import Target


@dataclass
class _Report:
    """What was found out; `missing` names what does not answer."""

    missing: list[str] = field(default_factory=list)
    services: list[tuple[str, str]] = field(default_factory=list)
    lag: list[tuple[str, int, int, int]] = field(default_factory=list)
    tables: list[tuple[str, int]] = field(default_factory=list)
    dead_letters: list[tuple[str, str, int]] = field(default_factory=list)
    newest: str = "no event yet"


def status(
    data: DataOption = None,
    output_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Broker, store and apps; lag per partition; newest event; rows per table; dead letters.

    Exit code 0 if all is there, 69 if a service or an app is missing.
    """
    from deploy.composition.target import find_target

    target = find_target(data)
    report = _Report()
    _ask_broker(target, report)
    _ask_store(target, report)
    _print_json(report) if output_json else _print(report)
    if report.missing:
        raise typer.Exit(UNAVAILABLE_EXIT_CODE)


def _ask_broker(target: Target, report: _Report) -> None:
    from deploy.composition.drain import INFER_GROUP, SINK_GROUP
    from schemas.errors import ConfigError, TransientError

    try:
        ends = _ends(target)
        report.services.append(("broker", str(target.broker)))
        for group in (INFER_GROUP, SINK_GROUP):
            workers = _workers(target, group)
            report.services.append((group, f"{workers} worker{'s' if workers != 1 else ''}"))
            if not workers:
                report.missing.append(group)
            _add_lag(target, group, ends, report)
    except (TransientError, ConfigError) as error:
        report.missing.append("broker")
        report.services.append(("broker", str(error)))


def _workers(target: Target, group: str) -> int:
    """How many workers an app has. Tansu's answer about groups cannot be read, so there processes are counted."""
    import psutil

    from streams.apps.topic_admin import admin

    if target.instance is not None:
        pid = target.instance.pids.get(group.removeprefix("tieline-"), 0)
        return int(psutil.pid_exists(pid)) if pid else 0
    with admin(target.broker) as client:
        return len(client.describe_groups([group]).get(group, {}).get("members") or [])


def _ends(target: Target) -> dict[tuple[str, int], int]:
    """Where `tieline.events` ends. Tansu's own answer is wrong after a batch, so there a barrier is written."""
    from deploy.composition.drain import barriers, end_offsets
    from schemas import topics
    from streams.transport.producer import BatchProducer

    if target.instance is None:
        return end_offsets(target.broker, [topics.EVENTS])

    async def ask() -> dict[tuple[str, int], int]:
        async with BatchProducer(target.broker) as producer:
            found = await barriers(producer, [topics.EVENTS])
        return {place: end - 1 for place, end in found.items()}

    return asyncio.run(ask())


def _add_lag(target: Target, group: str, ends: dict[tuple[str, int], int], report: _Report) -> None:
    from deploy.composition.drain import committed

    reached = committed(target.broker, group)
    for (topic, partition), end in sorted(ends.items()):
        # A committed barrier of an earlier look may lie beyond the end of the data.
        behind = max(0, end - reached.get((topic, partition), 0))
        report.lag.append((group, partition, end, behind))


def _ask_store(target: Target, report: _Report) -> None:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from schemas.errors import ConfigError, TransientError
    from sinks.clickhouse.queries.status import dead_letters, newest_event_at, rows_per_table
    from sinks.clickhouse.settings import connect

    try:
        client = connect(target.clickhouse)
        report.services.append(("store", f"{target.clickhouse.host}:{target.clickhouse.port}"))
        report.tables = list(rows_per_table(client).items())
        report.dead_letters = [(found.stage, found.code, found.letters) for found in dead_letters(client)]
        newest = newest_event_at(client)
        report.newest = f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else report.newest
        client.close()
    except (TransientError, ConfigError, ClickHouseError) as error:
        report.missing.append("store")
        report.services.append(("store", str(error).splitlines()[0][:200]))


def _print(report: _Report) -> None:
    services = Table("service", "")
    for name, state in report.services:
        services.add_row(name, state, style="bold red" if name in report.missing else None)
    out.print(services)
    lag = Table("group", "partitions", "events", "behind", title="Lag on tieline.events", title_justify="left")
    for group in dict.fromkeys(entry[0] for entry in report.lag):
        mine = [entry for entry in report.lag if entry[0] == group]
        lag.add_row(group, str(len(mine)), str(sum(entry[2] for entry in mine)), str(sum(entry[3] for entry in mine)))
        for _, partition, end, behind in mine:
            if behind:
                lag.add_row("", f"partition {partition}", str(end), str(behind), style="yellow")
    out.print(lag)
    tables = Table("table", "rows", title="Store", title_justify="left")
    for name, rows in report.tables:
        tables.add_row(name, f"{rows:,}")
    out.print(tables)
    out.print(f"newest event: {report.newest}", markup=False)
    for stage, code, number in report.dead_letters:
        out.print(f"dead letters from {stage}: {number} × {code}", style="yellow", markup=False)


def _print_json(report: _Report) -> None:
    import json
    from dataclasses import asdict

    lag = [dict(zip(("group", "partition", "end", "behind"), entry, strict=True)) for entry in report.lag]
    dead = [dict(zip(("stage", "code", "count"), entry, strict=True)) for entry in report.dead_letters]
    content = asdict(report) | {
        "services": dict(report.services),
        "lag": lag,
        "tables": dict(report.tables),
        "dead_letters": dead,
    }
    typer.echo(json.dumps(content, indent=2))
