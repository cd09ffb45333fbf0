"""`tieline migrate`: bring ClickHouse's tables and views up to this version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.console import out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from sinks.clickhouse.settings import ClickHouseSettings


def migrate(
    data: DataOption = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="The ClickHouse cluster that the tables are on, as the servers' `remote_servers` name it; without it"
            " TIELINE_CLICKHOUSE_CLUSTER, or one server. See docs/clickhouse-cluster.md.",
        ),
    ] = None,
    definer: Annotated[
        str | None,
        typer.Option(
            "--definer",
            help="On a ClickHouse server: the user that views read as. Creates the roles `<database>_reader` and"
            " `<database>_auditor`, which may read views and no table. Run it again after every migration.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Print all statements, those of applied migrations too; ask no server.")
    ] = False,
) -> None:
    """Create or update the tables and views in ClickHouse; safe to run again."""
    from deploy.composition.target import find_target
    from schemas.errors import ConfigError
    from sinks.clickhouse.audiences import server_statements
    from sinks.clickhouse.migrate import migrate as apply_migrations
    from sinks.clickhouse.settings import ClickHouseSettings, connect

    if show:
        asked = ClickHouseSettings.from_env()
        _print(asked if cluster is None else asked.on_cluster(cluster), definer)
        return
    target = find_target(data)
    for option, given in (("--definer", definer), ("--cluster", cluster)):
        if given is not None and target.instance is not None:
            raise ConfigError(f"{option} is for ClickHouse servers: the embedded store is one process")
    store = target.clickhouse if cluster is None else target.clickhouse.on_cluster(cluster)
    client = connect(store)
    applied = apply_migrations(client, cluster=store.cluster)
    out.print(f"applied: {', '.join(applied)}" if applied else "the store is up to date", markup=False)
    if definer is not None:
        statements = server_statements(store.database, definer, store.cluster)
        for statement in statements:
            client.command(statement)
        out.print(f"{len(statements)} grants made: views read as {definer}", markup=False)


def _print(store: ClickHouseSettings, definer: str | None) -> None:
    """Everything, in order, as text that `clickhouse-client --multiquery` takes."""
    from sinks.clickhouse.audiences import server_statements
    from sinks.clickhouse.cluster import Cluster
    from sinks.clickhouse.migrate import first_statements, migrations, statements_for

    cluster = Cluster(store.cluster, store.database) if store.cluster else None
    statements = first_statements(store.database, cluster)
    for migration in migrations():
        statements += [f"-- {migration.name}", *statements_for(migration, cluster)]
    if definer is not None:
        statements += server_statements(store.database, definer, store.cluster)
    for statement in statements:
        typer.echo(statement if statement.startswith("--") else f"{statement.strip()};\n")
