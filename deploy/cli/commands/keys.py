"""`tieline keys`: the keys that turn names of people into hashes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.console import err, out
from deploy.cli.options import DataOption

app = typer.Typer(help="The keys that turn names of people into hashes.", no_args_is_help=True)

KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--actor-key",
        envvar="TIELINE_ACTOR_KEY",
        show_envvar=False,
        help="Key file. [default: TIELINE_ACTOR_KEY, else actor.key in the data folder]",
    ),
]


def _path(given: Path | None, data: Path | None) -> Path:
    from deploy.composition.target import data_dir

    return given or data_dir(data) / "actor.key"


@app.command()
def show(actor_key: KeyFileOption = None, data: DataOption = None) -> None:
    """List the ids of all keys whose hashes are taken. Never shows a secret."""
    from streams.gateway.edge.keyring import read_keys

    path = _path(actor_key, data)
    keys = read_keys(path)
    table = Table("key id", "what it is")
    table.add_row(keys.current.key_id, "current: makes new hashes")
    for key in keys.earlier:
        table.add_row(key.key_id, "earlier")
    for key_id in sorted(keys.foreign):
        table.add_row(key_id, "registered, of another site")
    out.print(table)
    _warn_if_shared(path)


@app.command()
def rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor_key: KeyFileOption = None,
    data: DataOption = None,
) -> None:
    """Make a new current key. The one before it stays known; a running gateway follows within a second."""
    from streams.gateway.edge import keyring

    path = _path(actor_key, data)
    before = keyring.read_keys(path).current.key_id
    if not yes:
        typer.confirm(
            "From now on everybody has a new hash. Distinct people are counted for each key by itself, so a period in"
            " which the key changes looks as if fewer people had worked in it. Rotate?",
            abort=True,
        )
    keys = keyring.rotate(path)
    out.print(f"current key: {keys.current.key_id} (before: {before})", markup=False)
    out.print(f"back up {path} and {keyring.beside(path)}", style="dim", markup=False, soft_wrap=True)


@app.command()
def register(
    key_id: Annotated[str, typer.Argument(help="Id of a key: what stands before the colon of its hashes.")],
    actor_key: KeyFileOption = None,
    data: DataOption = None,
) -> None:
    """Take hashes that another site made with its own key."""
    from streams.gateway.edge import keyring

    path = _path(actor_key, data)
    known = key_id in keyring.read_keys(path).registered
    keyring.register(path, key_id)
    out.print(f"{key_id} {'was known already' if known else 'is registered'}", markup=False)


@app.command("hash")
def hash_name(actor_key: KeyFileOption = None, data: DataOption = None) -> None:
    """Print the hashes of names, one a line, read from standard input or asked for, never from the command line."""
    from schemas.errors import InvalidEvent
    from streams.gateway.edge.cloud_event import hashed_actor
    from streams.gateway.edge.draft import Acting
    from streams.gateway.edge.keyring import read_keys
    from streams.gateway.edge.marks import Marks

    key = read_keys(_path(actor_key, data)).current
    for number, name in enumerate(_names(), 1):
        try:
            typer.echo(hashed_actor(Acting(name), key, Marks())["id"])
        except InvalidEvent:
            err.print(f"tieline: line {number}: not a name", style="bold red")
            raise typer.Exit(1) from None


def _names() -> list[str]:
    # Neither in the shell's history nor, where it is asked for, on the screen.
    if sys.stdin.isatty():
        return [str(typer.prompt("Name, as the source has it", hide_input=True))]
    read = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return [name for line in read.split("\n") if (name := line.removesuffix("\r"))]


def _warn_if_shared(path: Path) -> None:
    from streams.gateway.edge.keyring import beside

    for file in (path, beside(path)):
        if file.exists() and file.stat().st_mode & 0o077:
            err.print(f"{file} can be read by others: chmod 600", style="yellow", markup=False, soft_wrap=True)
