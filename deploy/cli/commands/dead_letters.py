"""`tieline dead-letters`: what could not be used, why, and trying it again."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deploy.cli.commands.keys import KeyFileOption
from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption, PolicyOption

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from deploy.composition.retry import Retried
    from deploy.composition.target import Target
    from schemas.dead_letter import DeadLetter
    from sinks.clickhouse.queries.dead_letters import Wanted
    from streams.gateway.edge import Edge

app = typer.Typer(help="What could not be used, and trying it again.", no_args_is_help=True)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AGO = re.compile(r"(\d{1,6})([mhd])")


def instant(text: str, now: datetime) -> datetime:
    """`2026-03-01`, `2026-03-01T08:00:00Z`, or so long ago: `90m`, `2h`, `7d`. A date is midnight in UTC.

    Raises: typer.BadParameter.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if len(text) == len("2026-03-01") else at
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise typer.BadParameter(f"{text!r}: expected 2026-03-01, 2026-03-01T08:00:00Z, or so long ago: 90m, 2h, 7d")


IdsArgument = Annotated[list[str] | None, typer.Argument(help="Ids, or how they begin. [default: all]")]
ReasonOption = Annotated[list[str] | None, typer.Option("--reason", help="Code, such as wrong_key; may be repeated.")]
StageOption = Annotated[
    list[str] | None, typer.Option("--stage", help="gateway, infer, sink or webhook: who refused; may be repeated.")
]
SourceOption = Annotated[
    list[str] | None, typer.Option("--source", help="A source of the gateway, or a topic; may be repeated.")
]
SinceOption = Annotated[str | None, typer.Option("--since", help="Arrived from then on: a time, or 2h, 7d ago.")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Arrived before: a time, or 2h, 7d ago.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def _wanted(
    ids: list[str] | None,
    reason: list[str] | None,
    stage: list[str] | None,
    source: list[str] | None,
    since: str | None,
    until: str | None,
) -> Wanted:
    from sinks.clickhouse.queries.dead_letters import Wanted

    now = datetime.now(UTC)
    return Wanted(
        tuple(ids or ()),
        tuple(reason or ()),
        tuple(stage or ()),
        tuple(source or ()),
        instant(since, now) if since else None,
        instant(until, now) if until else None,
    )


@app.command("list")
def list_letters(
    ids: IdsArgument = None,
    reason: ReasonOption = None,
    stage: StageOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List dead letters, the newest first."""
    from sinks.clickhouse.queries.dead_letters import count_letters, newest_letters

    wanted = _wanted(ids, reason, stage, source, since, until)
    with _store(data) as (_, client):
        letters, total = newest_letters(client, wanted, limit), count_letters(client, wanted)
    if as_json:
        for letter in letters:
            typer.echo(letter.model_dump_json())
        return
    table = Table("arrived (UTC)", "stage", "reason", "field", "source", "place", "id")
    for letter in letters:
        at = f"{letter.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(at, letter.stage, letter.code, letter.field, letter.topic, _place(letter), letter.id[:12])
    out.print(table)
    out.print(f"{len(letters):,} of {total:,}", style="dim")


@app.command()
def show(ids: Annotated[list[str], typer.Argument(help="Ids, or how they begin.")], data: DataOption = None) -> None:
    """Show all that is known of a dead letter; never what the record said: nothing of it was kept."""
    from sinks.clickhouse.queries.dead_letters import newest_letters

    with _store(data) as (_, client):
        letters = newest_letters(client, _wanted(ids, None, None, None, None, None), 20)
    for letter in letters:
        table = Table.grid(padding=(0, 2))
        for name, value in letter.model_dump(mode="json").items():
            table.add_row(name, str(value))
        out.print(table, "")
    if not letters:
        err.print("no dead letter has such an id", style="bold red")
        raise typer.Exit(FAILED_EXIT_CODE)


@app.command()
def export(
    ids: IdsArgument = None,
    reason: ReasonOption = None,
    stage: StageOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File. [default: standard output]")] = None,
    data: DataOption = None,
) -> None:
    """Write dead letters as NDJSON, by where they were read."""
    from sinks.clickhouse.queries.dead_letters import all_letters

    with _store(data) as (_, client):
        wanted = _wanted(ids, reason, stage, source, since, until)
        lines = (f"{letter.model_dump_json()}\n" for letter in all_letters(client, wanted))
        if output is None:
            sys.stdout.writelines(lines)
            return
        with output.open("w", encoding="utf-8") as file:
            file.writelines(lines)


@app.command()
def retry(
    ids: IdsArgument = None,
    reason: ReasonOption = None,
    stage: StageOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
    as_json: JsonOption = False,
    wait: Annotated[bool, typer.Option(help="Return only when the store has everything.")] = True,
    actor_key: KeyFileOption = None,
    policy: PolicyOption = None,
    data: DataOption = None,
) -> None:
    """Put the refused records through the edge again, and produce again what fits now. Safe to repeat."""
    wanted = _wanted(ids, reason, stage, source, since, until)
    edge = _edge(actor_key, policy, data)
    counts: Counter[tuple[str, str, str]] = Counter()
    with _store(data) as (target, client):
        asyncio.run(_retry(target, client, edge, wanted, dry_run, wait, lambda each: _told(each, counts, as_json)))
    if not as_json:
        _print_outcomes(counts, dry_run)


def _told(retried: Retried, counts: Counter[tuple[str, str, str]], as_json: bool) -> None:
    still = f"{retried.code} at {retried.field}" if retried.field else retried.code
    counts[retried.outcome, retried.letter.code, still] += 1
    if as_json:
        said = {"id": retried.letter.id, "reason": retried.letter.code, "outcome": retried.outcome}
        typer.echo(json.dumps({**said, "code": retried.code, "field": retried.field}))


def _print_outcomes(counts: Counter[tuple[str, str, str]], dry_run: bool) -> None:
    from deploy.composition.retry import OUTCOMES

    for outcome, meaning in OUTCOMES.items():
        mine = {key: number for key, number in counts.items() if key[0] == outcome}
        if mine:
            would = "would be " if dry_run and outcome == "sent" else ""
            out.print(f"{sum(mine.values()):,} {would}{meaning}", markup=False, soft_wrap=True)
        for (_, reason, still), number in sorted(mine.items()):
            note = f", still {still}" if still and still.split(" ")[0] == reason else f", now {still}" if still else ""
            out.print(f"    {number:,} {reason}{note}", style="dim", markup=False, soft_wrap=True)
    if not counts:
        out.print("no such dead letters")


async def _retry(
    target: Target,
    client: Client,
    edge: Edge,
    wanted: Wanted,
    dry_run: bool,
    wait: bool,
    told: Callable[[Retried], None],
) -> None:
    from deploy.composition.retry import Retry
    from deploy.composition.send import feed_of, stored
    from sinks.clickhouse.queries.dead_letters import all_letters

    letters = all_letters(client, wanted)
    async with feed_of(target, spooled=not dry_run) as feed:
        sent = False
        go = Retry(client, edge, feed, target.broker, datetime.now(UTC), dry_run=dry_run)
        async for retried in go.run(letters):
            sent = sent or retried.outcome == "sent"
            told(retried)
        if sent and wait and not dry_run:
            await stored(target, feed)


def _edge(actor_key: Path | None, policy: list[Path] | None, data: Path | None) -> Edge:
    """The edge as the gateway has it. A missing key is not made: by a new one no hash would be of a known key."""
    from deploy.composition.target import data_dir, policy_paths
    from deploy.policy_files import load_policy_book
    from streams.gateway.edge import Edge, Keyring
    from streams.gateway.edge.keyring import read_keys

    folder = data_dir(data)
    keys = read_keys(actor_key or folder / "actor.key")
    return Edge(Keyring(keys), load_policy_book(policy_paths(policy, folder)))


@contextmanager
def _store(data: Path | None) -> Iterator[tuple[Target, Client]]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from deploy.composition.target import find_target
    from schemas.errors import TransientError
    from sinks.clickhouse.faults import fault_of
    from sinks.clickhouse.settings import connect

    target = find_target(data)
    client = connect(target.clickhouse)
    try:
        yield target, client
    except ClickHouseError as error:
        raise TransientError(f"the store: {fault_of(error).label}") from None
    finally:
        client.close()


def _place(letter: DeadLetter) -> str:
    if letter.offset < 0:
        return ""
    return f"{letter.partition}@{letter.offset}" if letter.partition >= 0 else f"#{letter.offset}"
