"""`tieline rights`: roles and row policies of ClickHouse servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.console import out
from deploy.cli.options import DataOption

if TYPE_CHECKING:
    from sinks.clickhouse.settings import ClickHouseSettings

app = typer.Typer(help="Roles and row policies of ClickHouse servers; never a password.", no_args_is_help=True)

ClusterOption = Annotated[
    str | None,
    typer.Option("--cluster", help="The cluster that the store is on; without it TIELINE_CLICKHOUSE_CLUSTER."),
]
DefinerOption = Annotated[
    str | None,
    typer.Option("--definer", help="The user that views read as. [default: `<database>_views`, made without a login]"),
]
ReaderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        help="NAME=PROCESS[,PROCESS…]: a role `<database>_reader_NAME` for these processes only; may be repeated.",
    ),
]


@app.command("print")
def show(cluster: ClusterOption = None, definer: DefinerOption = None, reader: ReaderOption = None) -> None:
    """Print the statements, for whoever runs the servers; asks no server."""
    from sinks.clickhouse.settings import ClickHouseSettings

    for statement in _statements(_asked(ClickHouseSettings.from_env(), cluster), definer, reader):
        typer.echo(f"{statement};")


@app.command()
def apply(
    data: DataOption = None,
    cluster: ClusterOption = None,
    definer: DefinerOption = None,
    reader: ReaderOption = None,
) -> None:
    """Run them, after every `tieline migrate`, as an administrator of the servers; safe to run again."""
    from deploy.composition.target import find_target
    from schemas.errors import ConfigError
    from sinks.clickhouse.settings import connect

    target = find_target(data)
    if target.instance is not None:
        raise ConfigError("rights are for ClickHouse servers; the embedded store has users of its own")
    store = _asked(target.clickhouse, cluster)
    statements = _statements(store, definer, reader)
    client = connect(store)
    for statement in statements:
        client.command(statement)
    out.print(f"{len(statements)} statements run", markup=False)


def _asked(store: ClickHouseSettings, cluster: str | None) -> ClickHouseSettings:
    return store if cluster is None else store.on_cluster(cluster)


def _statements(store: ClickHouseSettings, definer: str | None, readers: list[str] | None) -> list[str]:
    from sinks.clickhouse.rights import ReadersOf, rights

    named = [ReadersOf.parse(text) for text in readers or ()]
    return rights(store.database, cluster=store.cluster, definer=definer or "", readers=named)
