"""`tieline export`: events for other software."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.commands.archive import (
    FromOption,
    JsonOption,
    ProcessOption,
    ToOption,
    WholeOption,
    archive_store,
    selection,
)
from deploy.cli.console import out, progress_bar
from deploy.cli.options import DataOption

app = typer.Typer(help="Events for other software.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Events for other software."""


@app.command()
def ocel(
    to_file: Annotated[Path, typer.Option("--out", help="File, such as events.json.", dir_okay=False)],
    from_: FromOption = None,
    to: ToOption = None,
    process: ProcessOption = None,
    whole_items: WholeOption = True,
    with_actors: Annotated[
        bool, typer.Option("--with-actors", help="With the hashes of who acted; without, nobody can be told apart.")
    ] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write an object-centric event log (OCEL 2.0, JSON): work items, roles, handoffs, messages, problems."""
    from deploy.composition.archive_ocel import export_ocel

    chosen = selection(from_, to, process, whole_items)
    with archive_store(data) as (_, client), progress_bar() as bar:
        task = bar.add_task("writing", total=None)
        counts = export_ocel(
            client, to_file, chosen, with_actors, lambda done, of: bar.update(task, completed=done, total=of or 1)
        )
    if as_json:
        typer.echo(json.dumps({"events": counts.events, "objects": counts.objects, "conflicts": counts.conflicts}))
        return
    out.print(f"{counts.events:,} events, {counts.objects:,} objects", markup=False)
    if counts.conflicts:
        out.print(f"{counts.conflicts:,} contents left out: another content of the same event counts", style="yellow")
