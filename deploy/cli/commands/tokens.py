"""`tieline tokens`: what senders show to be let in at the gateway."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.table import Table

from deploy.cli.console import err, out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from streams.gateway.tokens import Scope, TokenFile

app = typer.Typer(help="Tokens that let senders in at the gateway.", no_args_is_help=True)

TokensOption = Annotated[
    Path | None,
    typer.Option("--tokens", envvar="TIELINE_TOKENS", help="Token file. [default: tokens.json in the data folder]"),
]


@app.command()
def create(
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="CloudEvents source that it may write; * stands for any text; may be repeated."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="events:write, events:validate or metrics:read; may be repeated."),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", help="Days until it expires.", min=1, max=3650)] = None,
    note: Annotated[str, typer.Option("--note", help="What it is for; no names of people.")] = "",
    tokens: TokensOption = None,
    data: DataOption = None,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from schemas.errors import ConfigError
    from streams.gateway.tokens import SCOPES, utc_now

    scopes = scope or ["events:write"]
    unknown = [each for each in scopes if each not in SCOPES]
    if unknown:
        raise ConfigError(f"--scope {unknown[0]}: expected one of {', '.join(SCOPES)}")
    if not source and "events:write" in scopes:
        raise ConfigError("--source: which sources may it write? For instance --source 'urn:tieline:helpdesk'")
    now = utc_now()
    expires_at = now + timedelta(days=days) if days else None
    issued = _file(tokens, data).create(cast("list[Scope]", scopes), source or [], now, expires_at, note)
    err.print(f"token {issued.token.id}; it is not shown again:", style="dim", markup=False)
    typer.echo(issued.shown)


@app.command("list")
def list_tokens(tokens: TokensOption = None, data: DataOption = None) -> None:
    """List all tokens. None can be shown again."""
    from streams.gateway.tokens import utc_now

    now = utc_now()
    table = Table("id", "state", "scopes", "sources", "created", "expires", "note")
    for token in _file(tokens, data).read():
        table.add_row(
            token.id,
            token.state(now),
            "\n".join(sorted(token.scopes)),
            "\n".join(token.sources),
            _day(token.created_at),
            _day(token.expires_at),
            token.note,
        )
    out.print(table, markup=False)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token: what stands after `tieline_`.")],
    tokens: TokensOption = None,
    data: DataOption = None,
) -> None:
    """End a token. A running gateway follows within a second."""
    from streams.gateway.tokens import utc_now

    token = _file(tokens, data).revoke(token_id, utc_now())
    out.print(f"token {token.id} is revoked", markup=False)


def _file(given: Path | None, data: Path | None) -> TokenFile:
    from deploy.composition.target import data_dir
    from streams.gateway.tokens import TOKENS_FILE, TokenFile

    return TokenFile(given or data_dir(data) / TOKENS_FILE)


def _day(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d") if at is not None else "-"
