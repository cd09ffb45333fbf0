"""Statements of the migrations as a cluster needs them.

A table becomes two. `<database>_local` has the one that holds the rows of a shard, replicated; `<database>` has, under
the same name, a Distributed table over all shards: what reads and writes a single server's tables reads and writes
these. Materialised views work where rows arrive, in `<database>_local`; other views read the Distributed tables. Names
are written out with their database, as statements that other nodes carry out know no current one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.errors import InvariantError
from sinks.clickhouse.audiences import VIEWS
from sinks.clickhouse.sharding import SHARDED_BY

NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"
"""What a cluster may be called: nothing that would have to be quoted in a string."""

READING: Mapping[str, str | int] = {
    "distributed_product_mode": "global",
    "skip_unavailable_shards": 0,
}
"""Part of every view: a sub-query has the rows of all shards, and a shard that does not answer is an error, never a
smaller figure."""
CLIENT: Mapping[str, str | int] = {
    **READING,
    # An insert is acknowledged once its rows lie on a majority of the replicas of their shards.
    "distributed_foreground_insert": 1,
    "insert_quorum": "auto",
    "insert_quorum_parallel": 1,
    "insert_quorum_timeout": 60_000,
    "async_insert": 0,
    # What is read next is read from the replica that was written to: the first one of a shard that is well.
    "load_balancing": "in_order",
    "prefer_localhost_replica": 0,
    "use_hedged_requests": 0,
    "max_replica_delay_for_distributed_queries": 5,
    "fallback_to_stale_replicas_for_distributed_queries": 0,
    # By default each shard would add up its own rows and keep the sums to itself.
    "parallel_distributed_insert_select": 0,
    # Changes of tables and deletions are over when they are over everywhere.
    "alter_sync": 2,
    "mutations_sync": 2,
    "distributed_ddl_output_mode": "throw",
    "distributed_ddl_task_timeout": 100,
}
"""Settings of all that Tieline itself asks a cluster."""
_REPLICA = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
# A block of rows like one that was inserted lately would be passed over in silence, also when its rows have been
# deleted meanwhile: a run that is deleted and made again would lack them. Rows that are there twice count once anyway.
_NO_BLOCK_IS_A_REPEAT = "replicated_deduplication_window = 0, replicated_deduplication_window_for_async_inserts = 0"
_FROM_THE_START = {"handoffs": "index_granularity = 1024"}
"""What migration 0013 makes a table anew for: a cluster is empty when it gets there, and has it at once."""
_REMADE = "handoffs_again"


class Cluster(NamedTuple):
    """A cluster as `remote_servers` of ClickHouse's configuration names it, and our database on it.

    Attributes:
        shards: the weights of its shards, written down in the store: rows stay where they are when these change.
            Empty: not known.
    """

    name: str
    database: str
    shards: str = ""

    @property
    def rows(self) -> str:
        """The database of the tables that hold a shard's rows."""
        return f"{self.database}_local"

    @property
    def on(self) -> str:
        return f"ON CLUSTER `{self.name}`"


def databases(cluster: Cluster) -> list[str]:
    """Statements that come before all others."""
    return [f"CREATE DATABASE IF NOT EXISTS `{name}` {cluster.on}" for name in (cluster.rows, cluster.database)]


def rendered(statement: str, cluster: Cluster) -> list[str]:
    """What to run on a cluster for one statement of a migration; nothing, where a cluster has it already.

    Raises: InvariantError: the statement is of a form that nobody has thought about for clusters.
    """
    if _REMADE in statement:
        return []
    for form, render in _FORMS.items():
        if found := re.fullmatch(form, statement.strip(), re.DOTALL):
            return render(cluster, *found.groups())
    raise InvariantError(f"no form for a cluster: {statement.strip()[:80]}")


def _table(cluster: Cluster, name: str, columns: str, engine: str, arguments: str | None, rest: str) -> list[str]:
    settings = ", ".join(filter(None, [_FROM_THE_START.get(name), _NO_BLOCK_IS_A_REPEAT]))
    values = f", {arguments[1:-1]}" if arguments else ""
    local = f"CREATE TABLE IF NOT EXISTS `{cluster.rows}`.`{name}` {cluster.on} {columns}"
    local += f"\nENGINE = Replicated{engine}({_REPLICA}{values}){_with_settings(rest, settings)}"
    over = f"CREATE TABLE IF NOT EXISTS `{cluster.database}`.`{name}` {cluster.on} AS `{cluster.rows}`.`{name}`"
    over += f"\nENGINE = Distributed('{cluster.name}', '{cluster.rows}', '{name}', {SHARDED_BY[name]})"
    if name == "migrations" and cluster.shards:
        over += f"\nCOMMENT '{cluster.shards}'"
    return [local, over]


def _materialized(cluster: Cluster, name: str, target: str, select: str) -> list[str]:
    rows = cluster.rows
    view = f"CREATE MATERIALIZED VIEW IF NOT EXISTS `{rows}`.`{name}` {cluster.on} TO `{rows}`.`{target}`"
    return [f"{view} AS{_qualified(select, rows)}"]


def _view(cluster: Cluster, name: str, select: str) -> list[str]:
    select = _TABLES.format(name=cluster.name, rows=cluster.rows) if name == "pipeline_tables" else select
    settings = ", ".join(f"{setting} = {value!r}" for setting, value in READING.items())
    body = _with_settings(_qualified(select, cluster.database), settings)
    return [f"CREATE OR REPLACE VIEW `{cluster.database}`.`{name}` {cluster.on} AS{body}"]


def _no_view(cluster: Cluster, name: str) -> list[str]:
    return [f"DROP VIEW IF EXISTS `{cluster.database}`.`{name}` {cluster.on}"]


def _columns(cluster: Cluster, name: str, change: str) -> list[str]:
    """Where the rows are first: a shard has each column that the table over it asks for."""
    both = (cluster.rows, cluster.database)
    return [f"ALTER TABLE `{database}`.`{name}` {cluster.on}\n{change}" for database in both]


def _index(cluster: Cluster, name: str, change: str) -> list[str]:
    return [f"ALTER TABLE `{cluster.rows}`.`{name}` {cluster.on}\n{change}"]


def _query(cluster: Cluster, name: str, select: str) -> list[str]:
    change = _qualified(select, cluster.rows)
    return [f"ALTER TABLE `{cluster.rows}`.`{name}` {cluster.on} MODIFY QUERY{change}"]


def _insert(cluster: Cluster, name: str, select: str) -> list[str]:
    return [f"INSERT INTO `{cluster.database}`.`{name}`{_qualified(select, cluster.database)}"]


_FORMS: Mapping[str, Callable[..., list[str]]] = {
    r"CREATE TABLE IF NOT EXISTS (\w+)\s*(\(.*\))\s+ENGINE = (\w*MergeTree)(\([^()]*\))?((?:\s.*)?)": _table,
    r"CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS(\s.*)": _materialized,
    r"CREATE OR REPLACE VIEW (\w+) AS(\s.*)": _view,
    r"DROP VIEW IF EXISTS (\w+)": _no_view,
    r"ALTER TABLE (\w+)\s+(ADD COLUMN\s.*)": _columns,
    r"ALTER TABLE (\w+)\s+((?:ADD|MATERIALIZE) INDEX\s.*)": _index,
    r"ALTER TABLE (\w+)\s+MODIFY QUERY(\s.*)": _query,
    r"INSERT INTO (\w+)(\s.*)": _insert,
}
_READ_FROM = re.compile(rf"\b(FROM|JOIN)\s+({'|'.join(sorted({*SHARDED_BY, *VIEWS, 'tie_figures'}))})\b(?!\.)")
_LAST_SETTINGS = re.compile(r"\sSETTINGS [^()]*\Z")


def _qualified(select: str, database: str) -> str:
    return _READ_FROM.sub(rf"\1 `{database}`.`\2`", select)


def _with_settings(statement: str, settings: str) -> str:
    statement = statement.rstrip()
    return f"{statement}, {settings}" if _LAST_SETTINGS.search(statement) else f"{statement}\nSETTINGS {settings}"


_TABLES = """
SELECT name AS table, sum(toUInt64(ifNull(total_rows, 0))) AS rows, sum(toUInt64(ifNull(total_bytes, 0))) AS bytes,
    sum(toUInt64(ifNull(active_parts, 0))) AS parts, any(detached.parts) AS detached_parts
FROM cluster('{name}', system.tables) AS held
LEFT JOIN
(
    SELECT table, count() AS parts FROM clusterAllReplicas('{name}', system.detached_parts)
    WHERE database = '{rows}' GROUP BY table
) AS detached ON detached.table = held.name
WHERE held.database = '{rows}' AND endsWith(engine, 'MergeTree')
GROUP BY name
ORDER BY table
SETTINGS join_use_nulls = 0"""
"""`pipeline_tables` of a cluster: rows of one replica of each shard, detached parts of all replicas."""
