"""`tieline board`: the dashboards as a web app."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from sinks.clickhouse.settings import ClickHouseSettings

DEFAULT_PORT = 8710


def board(
    data: DataOption = None,
    clickhouse_url: Annotated[
        str | None,
        typer.Option(
            "--clickhouse-url",
            help="http[s]://host:port/database of a ClickHouse; the account from TIELINE_CLICKHOUSE_USER and _PASSWORD"
            " or _PASSWORD_FILE. [default: TIELINE_CLICKHOUSE_URL, else the running instance]",
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Where to listen; beyond this machine only with a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)] = DEFAULT_PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", help="File with the token that browsers have to show. [default: TIELINE_BOARD_TOKEN]"
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Host name that people use to reach the board; may be repeated."),
    ] = None,
) -> None:
    """Serve the dashboards on 127.0.0.1 until Ctrl-C. Reads with a read-only account (`reader`) and never writes.

    `tieline up` and `tieline demo` have a board already; this is for another port, or beside a team's ClickHouse.
    """
    from deploy.board.address import Address, read_token
    from deploy.board.run import run_board
    from deploy.embedded.parent import watch_parent
    from deploy.log_lines import configure

    watch_parent()
    configure("info", quiet=("aiohttp.access",))
    address = Address.checked(host, port, read_token(token_file), tuple(name or ()))
    run_board(_store(clickhouse_url, data), address)


def _store(url: str | None, data: Path | None) -> ClickHouseSettings:
    """Read-only where we can choose: an embedded store is always asked as `reader`."""
    import os

    from deploy.composition.target import find_target
    from sinks.clickhouse.settings import URL_ENV, ClickHouseSettings

    if url is not None:
        return ClickHouseSettings.from_env({**os.environ, URL_ENV: url})
    return find_target(data, user="reader").clickhouse
