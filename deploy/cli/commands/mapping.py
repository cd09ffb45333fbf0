"""`tieline mapping`: look at what a mapping file makes of a payload before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.console import FAILED_EXIT_CODE, err, out
from deploy.cli.options import DataOption, PolicyOption

if TYPE_CHECKING:
    from streams.gateway.connectors.json_mapping import PayloadMapping
    from streams.gateway.connectors.json_mapping.trial import Trial

MAX_PAYLOAD_BYTES = 16 * 1024 * 1024

app = typer.Typer(help="Mapping files.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Mapping files of the connector `json`."""


@app.command("try")
def try_mapping(
    file: Annotated[Path, typer.Argument(help="Mapping file with `format: json`.", exists=True, dir_okay=False)],
    payload: Annotated[Path, typer.Argument(help="A payload as the source sends it; `-` reads standard input.")],
    process: Annotated[str, typer.Option("--process", help="Process of the source.")] = "try",
    header: Annotated[
        list[str] | None, typer.Option("--header", help="A header of the request, `Name: value`; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    policy: PolicyOption = None,
    data: DataOption = None,
) -> None:
    """Show what would come out of a payload. Nothing is sent; actors are hashed by a key that is thrown away."""
    from deploy.composition.target import data_dir, policy_paths
    from deploy.policy_files import load_policy_book
    from streams.gateway.connectors.json_mapping import read_payload_mapping
    from streams.gateway.connectors.json_mapping.trial import try_payload

    mapping = read_payload_mapping(file)
    book = load_policy_book(policy_paths(policy, data_dir(data)))
    trial = try_payload(mapping, _payload(payload), _headers(header or []), book, process)
    if as_json:
        out.print_json(json.dumps(as_data(trial)))
    else:
        _show(trial, mapping)
    if trial.refused is not None or not trial.events:
        raise typer.Exit(FAILED_EXIT_CODE)


def as_data(trial: Trial) -> dict[str, Any]:
    """What was found, as plain values."""
    return {
        "refused": {"code": trial.refused.code, "field": trial.refused.field} if trial.refused else None,
        "events": [json.loads(event) for event in trial.events],
        "invalid": [{"event": n, "code": error.code, "field": error.field} for n, error in trial.invalid],
        "unused": list(trial.unused),
        "entries": [
            {"rules": entry.rules, "empty": entry.empty, "unused": entry.unused, "events": entry.events}
            for entry in trial.entries
        ],
    }


def _show(trial: Trial, mapping: PayloadMapping) -> None:
    if trial.refused is not None:
        err.print(f"refused: {trial.refused}", style="bold red", markup=False)
        return
    out.print(_events(trial))
    out.print(_entries(trial))
    for number, error in trial.invalid:
        out.print(f"event {number + 1} is refused by the contract: {error}", style="bold red", markup=False)
    for place in _never_found(trial):
        out.print(f"{place}: found nothing in any entry", style="yellow", markup=False)
    for rule in _never_matched(trial, mapping):
        out.print(f"{rule}: matched no entry", style="dim", markup=False)


def _events(trial: Trial) -> Table:
    table = Table("type", "time", "work item", "actor", "data", title="events")
    for raw in trial.events:
        event = json.loads(raw)
        fields = event["data"]
        actor = fields.pop("actor", None)
        who = f"{actor['kind']} {actor['id'][:14]}…" if actor else "-"
        rest = ", ".join(f"{name}={_plain(value)}" for name, value in fields.items())
        cells = (event["type"].removeprefix("tieline."), event["time"], event["subject"], who, rest)
        table.add_row(*map(escape, cells))
    return table


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _entries(trial: Trial) -> Table:
    table = Table("entry", "rules that matched", "events", "found nothing", "not used", title="entries")
    for number, entry in enumerate(trial.entries, 1):
        table.add_row(
            str(number), ", ".join(entry.rules), str(entry.events), ", ".join(entry.empty), ", ".join(entry.unused)
        )
    return table


def _never_found(trial: Trial) -> list[str]:
    empty = [set(entry.empty) for entry in trial.entries if entry.rules]
    return sorted(set.intersection(*empty)) if empty else []


def _never_matched(trial: Trial, mapping: PayloadMapping) -> list[str]:
    matched = {rule for entry in trial.entries for rule in entry.rules}
    rules = [f"events.{n}" for n in range(len(mapping.events))] + [f"states.{n}" for n in range(len(mapping.states))]
    return [rule for rule in rules if rule not in matched]


def _payload(path: Path) -> bytes:
    stream = typer.get_binary_stream("stdin") if str(path) == "-" else None
    try:
        if stream is not None:
            return stream.read(MAX_PAYLOAD_BYTES)
        with path.open("rb") as file:
            return file.read(MAX_PAYLOAD_BYTES)
    except OSError as error:
        raise typer.BadParameter(f"{path}: cannot be read: {error.strerror}") from None


def _headers(given: list[str]) -> dict[str, str]:
    pairs = [header.partition(":") for header in given]
    if any(not colon for _, colon, _ in pairs):
        raise typer.BadParameter("a header is written as `Name: value`")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
