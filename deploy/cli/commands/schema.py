"""`tieline schema`: the contract as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import out

app = typer.Typer(help="The event contract.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The event contract as JSON Schema and AsyncAPI."""


@app.command()
def export(directory: Annotated[Path, typer.Argument(help="Folder to write to; made if need be.")]) -> None:
    """Write JSON Schema 2020-12 and AsyncAPI 3 files of all events, rows and the policy."""
    from schemas.export import write_contract

    written = write_contract(directory)
    out.print(f"{len(written)} files in {directory}", markup=False)
