"""`tieline migrate`: bring ClickHouse's tables and views up to this version."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.console import out
from deploy.cli.options import DataOption


def migrate(
    data: DataOption = None,
    definer: Annotated[
        str | None,
        typer.Option(
            "--definer",
            help="On a ClickHouse server: the user that views read as. Creates the roles `<database>_reader` and"
            " `<database>_auditor`, which may read views and no table. Run it again after every migration.",
        ),
    ] = None,
) -> None:
    """Create or update the tables and views in ClickHouse; safe to run again."""
    from deploy.composition.target import find_target
    from schemas.errors import ConfigError
    from sinks.clickhouse.audiences import server_statements
    from sinks.clickhouse.migrate import migrate as apply_migrations
    from sinks.clickhouse.settings import connect

    target = find_target(data)
    if definer is not None and target.instance is not None:
        raise ConfigError("--definer is for a ClickHouse server; the embedded store has users of its own")
    client = connect(target.clickhouse)
    applied = apply_migrations(client)
    out.print(f"applied: {', '.join(applied)}" if applied else "the store is up to date", markup=False)
    if definer is not None:
        statements = server_statements(target.clickhouse.database, definer)
        for statement in statements:
            client.command(statement)
        out.print(f"{len(statements)} grants made: views read as {definer}", markup=False)
