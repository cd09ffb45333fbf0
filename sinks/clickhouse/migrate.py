"""Numbered, forward-only migrations of the store.

One run at a time. A migration that was cut short is done again from its first statement, and leaves what one whole run
leaves. On a cluster each statement is run as `sinks.clickhouse.cluster` renders it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.errors import ConfigError
from sinks.clickhouse.cluster import Cluster, databases, rendered
from sinks.clickhouse.shards import require_kind, require_shards, weights

_RECORD = """
CREATE TABLE IF NOT EXISTS {table}
(
    `number` UInt32,
    `name` String,
    `checksum` String,
    `applied_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree
ORDER BY number
"""
_AT_WORK = {"log_comment": "tieline migrate"}
_ASK_EVERY_S, _KILLED_AFTER_S = 0.1, 3.0
_TABLE_EXISTS = 57


class Migration(NamedTuple):
    """One file `NNNN_name.sql`. `checksum` is the SHA-256 of its text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """Its statements, comments left out. A statement ends with a semicolon at the end of a line."""
        lines = [line for line in self.sql.splitlines() if not line.lstrip().startswith("--")]
        parts = "\n".join(lines).split(";\n")
        return [part.strip().removesuffix(";").strip() for part in parts if part.strip(" \n;")]


class SchemaState(NamedTuple):
    """Names of migrations: applied in the store, and known here but not applied yet."""

    applied: list[str]
    missing: list[str]


def migrations() -> list[Migration]:
    """All of this version's, in order.

    Raises: ConfigError: two files with one number, or a gap.
    """
    folder = files("sinks.clickhouse").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    found = [Migration(int(name[:4]), name[:-4], folder.joinpath(name).read_text("utf-8")) for name in names]
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ConfigError("migrations are not numbered 1, 2, 3, …: the installation is damaged")
    return found


def migrate(client: Client, known: list[Migration] | None = None, cluster: str = "") -> list[str]:
    """Brings the client's database up to date; returns the names applied now. Others that try meanwhile wait.

    Args:
        cluster: the tables are on this cluster; the client has the settings that `connect` gives it for one.
    Raises: ConfigError: an applied migration has changed, the store was migrated by a newer Tieline, or it is not on
        this cluster.
    """
    known = migrations() if known is None else known
    where = Cluster(cluster, str(client.database), weights(client, cluster)) if cluster else None
    require_kind(client, where)
    for statement in first_statements(str(client.database), where):
        client.command(statement, use_database=False)
    require_shards(client)
    if not _missing(client, known):
        return []
    with _alone(client, where):
        missing = _missing(client, known)
        for migration in missing:
            for statement in statements_for(migration, where):
                client.command(statement, settings=_AT_WORK)
            row = [migration.number, migration.name, migration.checksum]
            client.insert("migrations", [row], column_names=["number", "name", "checksum"])
    return [migration.name for migration in missing]


def first_statements(database: str, cluster: Cluster | None) -> list[str]:
    """What there has to be before the first migration: the database, and the table of those that are applied."""
    if cluster is not None:
        return [*databases(cluster), *rendered(_RECORD.format(table="migrations"), cluster)]
    return [f"CREATE DATABASE IF NOT EXISTS `{database}`", _RECORD.format(table=f"`{database}`.`migrations`")]


def statements_for(migration: Migration, cluster: Cluster | None) -> list[str]:
    """The statements of a migration as a single server needs them, or a cluster."""
    if cluster is None:
        return migration.statements
    return [part for statement in migration.statements for part in rendered(statement, cluster)]


def _missing(client: Client, known: list[Migration]) -> list[Migration]:
    done = _applied(client, known)
    return [migration for migration in known if migration.number not in done]


@contextmanager
def _alone(client: Client, cluster: Cluster | None) -> Iterator[None]:
    """Nobody else migrates this database in here. The table `migrating` says that somebody does; it is taken from one
    that was killed, which shows in no statement of a migration running for a while.

    On a cluster one statement makes it on all nodes: they carry such statements out in the same order, and the second
    of two fails on all of them.
    """
    table = f"`{client.database}`.`migrating`{f' {cluster.on}' if cluster else ''}"
    quiet = 0
    while not _begun(client, table):
        quiet = 0 if _at_work(client, cluster) else quiet + 1
        if quiet * _ASK_EVERY_S >= _KILLED_AFTER_S:
            client.command(f"DROP TABLE IF EXISTS {table}")
            quiet = 0
        time.sleep(_ASK_EVERY_S)
    try:
        yield
    finally:
        client.command(f"DROP TABLE IF EXISTS {table}")


def _begun(client: Client, table: str) -> bool:
    try:
        client.command(f"CREATE TABLE {table} (at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY at")
    except DatabaseError as error:
        if error.code != _TABLE_EXISTS:
            raise
        return False
    return True


def _at_work(client: Client, cluster: Cluster | None) -> bool:
    """Whether a statement of a migration is running, on whichever node."""
    processes = f"clusterAllReplicas('{cluster.name}', system.processes)" if cluster else "system.processes"
    sql = f"SELECT count() FROM {processes} WHERE Settings['log_comment'] = '{_AT_WORK['log_comment']}'"
    return bool(client.query(sql).result_rows[0][0])


def schema_state(client: Client) -> SchemaState:
    """What is applied and what is not; changes nothing.

    Raises: ConfigError: as `migrate`.
    """
    known = migrations()
    exists = client.command("EXISTS TABLE migrations") if _database_exists(client) else 0
    done = _applied(client, known) if exists else set()
    return SchemaState(
        [migration.name for migration in known if migration.number in done],
        [migration.name for migration in known if migration.number not in done],
    )


def require_current(client: Client) -> None:
    """Raises: ConfigError: a migration is missing, changed or unknown, or it is a cluster that is not asked as one."""
    missing = schema_state(client).missing
    if missing:
        raise ConfigError(f"the store lacks {', '.join(missing)}: run `tieline migrate`")
    require_shards(client)


def _database_exists(client: Client) -> bool:
    return bool(client.command(f"EXISTS DATABASE `{client.database}`", use_database=False))


def _applied(client: Client, known: list[Migration]) -> set[int]:
    checksums = {migration.number: migration.checksum for migration in known}
    rows = client.query("SELECT DISTINCT number, name, checksum FROM migrations ORDER BY number").result_rows
    for number, name, checksum in rows:
        if number not in checksums:
            raise ConfigError(f"migration {name} is not known here: the store was migrated by a newer Tieline")
        if checksum != checksums[number]:
            raise ConfigError(f"migration {name} has changed since it was applied: migrations are forward only")
    return {int(number) for number, _, _ in rows}
