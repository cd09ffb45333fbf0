"""Numbered, forward-only migrations of the store.

Every statement is idempotent, so a run that was cut short, or two at once, leave what one run leaves.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigError

_RECORD = """
CREATE TABLE IF NOT EXISTS migrations
(
    `number` UInt32,
    `name` String,
    `checksum` String,
    `applied_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree
ORDER BY number
"""


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


def migrate(client: Client, known: list[Migration] | None = None) -> list[str]:
    """Brings the client's database up to date; returns the names applied now.

    Raises: ConfigError: an applied migration has changed, or the store was migrated by a newer Tieline.
    """
    client.command(f"CREATE DATABASE IF NOT EXISTS `{client.database}`", use_database=False)
    client.command(_RECORD)
    known = migrations() if known is None else known
    done = _applied(client, known)
    missing = [migration for migration in known if migration.number not in done]
    for migration in missing:
        for statement in migration.statements:
            client.command(statement)
        row = [migration.number, migration.name, migration.checksum]
        client.insert("migrations", [row], column_names=["number", "name", "checksum"])
    return [migration.name for migration in missing]


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
    """Raises: ConfigError: a migration is missing, changed or unknown."""
    missing = schema_state(client).missing
    if missing:
        raise ConfigError(f"the store lacks {', '.join(missing)}: run `tieline migrate`")


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
