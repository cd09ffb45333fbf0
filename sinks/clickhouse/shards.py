"""Where the rows of a store lie: in the tables that are read, or on the shards of a cluster below them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigError
from sinks.clickhouse.cluster import Cluster

_OVER = re.compile(r"Distributed\('([^']+)', '([^']+)', '([^']+)'")


class Laid(NamedTuple):
    """How a store was laid out when it was made; both are empty on a single server."""

    cluster: str
    shards: str


def delete_rows(client: Client, table: str, where: str, parameters: Mapping[str, object]) -> None:
    """Marks rows as deleted; returns once that holds everywhere. `where` is SQL.

    Cost: about 0.1 s and 1 s per million rows; merges free the space later. On a cluster the node that is asked has to
    be one of its own.
    """
    client.command(
        f"DELETE FROM {place(client, table)} WHERE {where}",
        parameters=dict(parameters),
        settings={"lightweight_deletes_sync": 2},
    )


def merge_rows(client: Client, table: str) -> None:
    """Merges away the older versions of rows; about 1 s per million rows."""
    client.command(f"OPTIMIZE TABLE {place(client, table)} FINAL")


def place(client: Client, table: str) -> str:
    """The table that holds the rows, as a statement that changes them names it.

    A Distributed table takes inserts, and neither deletes nor merges.
    """
    sql = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
    found = [_OVER.match(row[0]) for row in client.query(sql, parameters={"table": table}).result_rows]
    if not found or found[0] is None:
        return f"`{table}`"
    cluster, database, local = found[0].groups()
    return f"`{database}`.`{local}` ON CLUSTER `{cluster}`"


def weights(client: Client, cluster: str) -> str:
    """The weights of a cluster's shards, as the store keeps them.

    Raises: ConfigError: the server knows no such cluster, or it would write to each replica itself.
    """
    sql = """
SELECT toString(groupArray((weight, replicated))) FROM
(
    SELECT any(shard_weight) AS weight, min(internal_replication) AS replicated FROM system.clusters
    WHERE cluster = {cluster:String} GROUP BY shard_num ORDER BY shard_num
)"""
    text = str(client.command(sql, parameters={"cluster": cluster}, use_database=False))
    shards = re.findall(r"\((\d+),(\d)\)", text)
    if not shards:
        raise ConfigError(f"the server knows no cluster {cluster!r}: see remote_servers in its configuration")
    if any(replicated == "0" for _, replicated in shards):
        raise ConfigError(f"cluster {cluster!r}: set internal_replication in remote_servers: tables copy their rows")
    return f"weights {' '.join(weight for weight, _ in shards)}"


def require_kind(client: Client, cluster: Cluster | None) -> None:
    """Raises: ConfigError: the database is a single server's and a cluster was asked for, or the other way round."""
    laid = _laid(client)
    if laid is not None and laid.cluster != (cluster.name if cluster else ""):
        stands = f"on cluster {laid.cluster!r}" if laid.cluster else "that of a single server"
        raise ConfigError(
            f"the store in database {client.database!r} is {stands}: set TIELINE_CLICKHOUSE_CLUSTER={laid.cluster},"
            " or use another database"
        )


def require_shards(client: Client) -> None:
    """Raises: ConfigError: the store is on a cluster and not asked as one, or the shards have changed."""
    laid = _laid(client)
    if not laid or not laid.cluster:
        return
    if not client.get_client_setting("distributed_foreground_insert"):
        raise ConfigError(f"the store is on a cluster: set TIELINE_CLICKHOUSE_CLUSTER={laid.cluster}")
    found = weights(client, laid.cluster)
    if laid.shards and found != laid.shards:
        raise ConfigError(
            f"the shards of cluster {laid.cluster!r} have {found}, and had {laid.shards} when the store was made:"
            " rows would be looked for where they are not"
        )


def _laid(client: Client) -> Laid | None:
    """None: there is no store yet."""
    sql = """
SELECT arrayStringConcat(groupArray(concat(engine_full, '\\n', comment)), '') FROM system.tables
WHERE database = {database:String} AND name = 'migrations'"""
    text = str(client.command(sql + " FORMAT TSVRaw", parameters={"database": client.database}, use_database=False))
    engine, _, comment = text.partition("\n")
    if not engine:
        return None
    found = _OVER.match(engine)
    return Laid(found[1], comment.strip()) if found else Laid("", "")
