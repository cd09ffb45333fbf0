"""`tieline interventions`: changes that people try on purpose, registered before their effect is known."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.cli.commands.dead_letters import instant
from deploy.cli.commands.intervention_effects import effect, folding
from deploy.cli.console import err, out
from deploy.cli.options import DataOption, PolicyOption

if TYPE_CHECKING:
    from deploy.composition.target import Target
    from schemas.events.intervention import InterventionEnded, InterventionStarted
    from schemas.policy import InForce
    from schemas.vocabulary import InterventionKind

app = typer.Typer(help="Changes that people try on purpose, and what came of them.", no_args_is_help=True)
app.command("effect")(effect)

_KINDS = ("relational", "process", "structural")
_AHEAD = timedelta(hours=1)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `tieline interventions list` shows it.")]
SomeProcess = Annotated[str | None, typer.Option("--process", help="Only this process. [default: all]")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def add(
    process: Annotated[
        str, typer.Option("--process", help="Process that it changes; all of it, unless --tie is given.")
    ],
    name: Annotated[str, typer.Option("--name", help="What people call it. No person's name: everyone reads it.")],
    kind: Annotated[str, typer.Option("--kind", help="relational, process or structural.")],
    hypothesis: Annotated[
        str, typer.Option("--hypothesis", help="What should become better, and why. No person's name.")
    ],
    owner_role: Annotated[str, typer.Option("--owner-role", help="Role that answers for it; never a person.")],
    tie: Annotated[
        list[str] | None,
        typer.Option("--tie", help="COMMUNICATOR:EXPERIENCER, such as ed-nurse:ward-nurse; may be repeated."),
    ] = None,
    expected_loss: Annotated[
        float | None,
        typer.Option("--expected-loss", min=0, max=1, help="Share (0 to 1) that it may cost while it is learned."),
    ] = None,
    worry: Annotated[
        str | None, typer.Option("--worry", help="What those it touches fear to lose, in words. No person's name.")
    ] = None,
    start: Annotated[
        str, typer.Option("--start", help="2026-03-02, 2026-03-02T08:00:00Z, or 2h, 7d ago. [default: now]")
    ] = "",
    end: Annotated[str, typer.Option("--end", help="When it ended, if it has.")] = "",
    site: Annotated[str, typer.Option("--site", help="Only there. [default: everywhere]")] = "",
    intervention: Annotated[str, typer.Option("--id", help="[default: made of name and day]")] = "",
    policy: PolicyOption = None,
    data: DataOption = None,
) -> None:
    """Register a change, best on the day it begins: what was expected can then not be made up afterwards.

    Name, hypothesis and worry are stored and shown to everyone: never write a person's name into them. Change costs
    people something, so --expected-loss or --worry has to be said.
    """
    from deploy.composition.interventions import Plan, ended, is_there, started, tie_of, unlisted_roles
    from deploy.composition.reading import reading
    from deploy.composition.target import find_target

    now = datetime.now(UTC)
    if expected_loss is None and not worry:
        raise typer.BadParameter("say --expected-loss or --worry: change costs people something")
    started_at = _past("--start", start, now)
    plan = Plan(
        process,
        name,
        _kind(kind),
        hypothesis,
        owner_role,
        started_at,
        tuple(map(tie_of, tie or ())),
        expected_loss,
        worry or None,
        site,
        intervention,
    )
    target = find_target(data)
    in_force = _policy(policy, target, process)
    event = started(plan, in_force)
    events: list[InterventionStarted | InterventionEnded] = [event]
    if end:
        known = {"intervention": event.subject, "process": process, "site": site, "started_at": event.time}
        events.append(ended({**known, "ended_at": None}, _past("--end", end, now)))
    with reading(data) as reader:
        if is_there(reader, event, started_now=start[4:5] != "-"):
            out.print(f"{event.subject} is registered already; nothing was sent", style="dim", markup=False)
            return
    for role in unlisted_roles(event, in_force):
        err.print(f"hint: the policy of {process} lists no role {role!r}", style="yellow", markup=False)
    asyncio.run(_send(target, events))
    touched = f"{len(event.data.ties)} ties" if event.data.ties else "the whole process"
    out.print(f"{event.subject} is registered: {touched}, from {_moment(event.time)}", markup=False)
    if started_at < now - timedelta(days=1):
        out.print(
            "hint: it began before it was registered; its effect may be marked as registered late", style="yellow"
        )


@app.command()
def end(
    intervention: IdArgument,
    at: Annotated[
        str, typer.Option("--at", help="2026-03-02, 2026-03-02T08:00:00Z, or 2h, 7d ago. [default: now]")
    ] = "",
    process: SomeProcess = None,
    data: DataOption = None,
) -> None:
    """Say that a registered change is over; its effect is judged by the time until then."""
    from deploy.composition.interventions import ended, only_one
    from deploy.composition.reading import reading
    from deploy.composition.target import find_target

    ended_at = _past("--at", at, datetime.now(UTC))
    target = find_target(data)
    with reading(data) as reader:
        event = ended(only_one(reader, intervention, process or ""), ended_at)
    asyncio.run(_send(target, [event]))
    out.print(f"{intervention} ended at {_moment(ended_at)}", markup=False)


@app.command("list")
def list_interventions(process: SomeProcess = None, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List what is registered, by start."""
    from deploy.composition.interventions import registered, ties_of
    from deploy.composition.reading import reading

    with reading(data) as reader:
        found = registered(reader, process or "")
    if as_json:
        for row in found:
            typer.echo(json.dumps({**row, "ties": ties_of(row)}, default=_written, ensure_ascii=False))
        return
    table = folding(
        "process", "id", "kind", "name", "of", "started (UTC)", "ended", "hypothesis", "loss or worry", "owner"
    )
    for row in found:
        ties = ", ".join(f"{one} → {other}" for one, other in ties_of(row)) or "the whole process"
        loss = "" if row["expected_loss"] is None else f"{row['expected_loss']:g}"
        cells = (
            row["process"],
            row["intervention"],
            row["kind"],
            row["name"],
            f"{ties} ({row['site']})" if row["site"] else ties,
            f"{row['started_at']:%Y-%m-%d %H:%M}",
            "" if row["ended_at"] is None else f"{row['ended_at']:%Y-%m-%d %H:%M}",
            row["hypothesis"],
            ", ".join(part for part in (loss, row["worry"]) if part),
            row["owner_role"],
        )
        table.add_row(*map(escape, cells))
    out.print(table)
    out.print(f"{len(found):,} interventions", style="dim")


def _kind(text: str) -> InterventionKind:
    if text not in _KINDS:
        raise typer.BadParameter(f"--kind is one of {', '.join(_KINDS)}")
    return text  # type: ignore[return-value]


def _past(option: str, text: str, now: datetime) -> datetime:
    """An instant that has come, to the second; without one now."""
    at = (instant(text, now) if text else now).replace(microsecond=0)
    if at > now + _AHEAD:
        raise typer.BadParameter(f"{option} lies in the future: register a change when it begins")
    return at


def _policy(given: PolicyOption, target: Target, process: str) -> InForce:
    from deploy.composition.target import policy_paths
    from deploy.policy_files import load_policy_book

    paths = policy_paths(given, target.instance.folder if target.instance else None)
    return load_policy_book(paths).newest(process)


async def _send(target: Target, events: list[Any]) -> int:
    from deploy.composition.send import send

    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
        task = progress.add_task("sending and storing", total=None)
        return await send(
            target, events, lambda behind: progress.update(task, description=f"storing, {behind:,} records ahead")
        )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not written in JSON: {type(value).__name__}")
