"""Rights on ClickHouse servers, as statements: a role for each kind of work, with no more than that work needs.

Nothing here holds a password: people and apps get users of their own, made by whoever runs the server, and one of these
roles. Views read with the rights of a user that nobody can log in as, so readers need no right to any table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.errors import ConfigError
from sinks.clickhouse.audiences import VIEWS, server_statements, views_of
from sinks.clickhouse.sharding import SHARDED_BY

DEFINER = "views"
"""`<database>_views` is the user that views read as, unless another is named."""
WRITER, REPLAYER, MIGRATOR = "writer", "replayer", "migrator"

_FILLED_BY_VIEWS = frozenset({"interventions", "intervention_receipts", "surveys", "source_hours", "role_months"})
_OF_MIGRATIONS = frozenset({"migrations", "here"})
WRITTEN = tuple(sorted(set(SHARDED_BY) - _FILLED_BY_VIEWS - _OF_MIGRATIONS))
"""Tables that apps insert into."""
DELETED_FROM = (
    *("effects", "evidence", "exchanges", "handoffs", "priors", "problems", "processes", "run_chunks", "runs"),
    *("signals", "stale_windows", "look_ups", "tie_names", "tie_windows", "work_items"),
)
"""Tables that have runs, which can be deleted."""
_MIGRATING = (
    "SHOW, SELECT, INSERT, ALTER TABLE, ALTER VIEW, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW"
)
_LIMITS = (
    "readonly = 2, max_execution_time = 60 MAX 120, max_memory_usage = 2000000000 MAX 2000000000,"
    " max_result_rows = 1000000 MAX 1000000"
)
"""Of readers, as in deploy/docker/clickhouse/users.xml."""
_PLAIN = re.compile(r"[A-Za-z0-9_]+")


class ReadersOf(NamedTuple):
    """People who may read what there is about some processes, and nothing about others."""

    name: str
    processes: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> ReadersOf:
        """`name=process,process`.

        Raises: ConfigError: it is not of that form.
        """
        name, _, processes = text.partition("=")
        found = tuple(part for part in processes.split(",") if part)
        if not _PLAIN.fullmatch(name) or not found or any(not part.isprintable() for part in found):
            raise ConfigError(
                f"{text!r}: expected NAME=PROCESS or NAME=PROCESS,PROCESS, the name of letters and digits"
            )
        return cls(name, found)


def rights(database: str, *, cluster: str = "", definer: str = "", readers: Iterable[ReadersOf] = ()) -> list[str]:
    """All of it, in an order in which it can be run; doing so again changes nothing. The tables have to be there.

    Needs an administrator: the rights to make users, roles, profiles and row policies, and `SET DEFINER`.

    Args:
        cluster: the store is on this cluster; empty: on one server.
        definer: the user that views read as; made, if it is `<database>_views`.
    Raises: ConfigError: a name that would have to be quoted.
    """
    for name in filter(None, (database, definer)):
        if not _PLAIN.fullmatch(name):
            raise ConfigError(f"not a name of letters, digits and '_': {name!r}")
    on = f" ON CLUSTER `{cluster}`" if cluster else ""
    user = definer or f"{database}_{DEFINER}"
    return [
        *([] if definer else [f"CREATE USER IF NOT EXISTS `{user}`{on} NOT IDENTIFIED HOST NONE"]),
        *server_statements(database, user, cluster),
        *_apps(database, on),
        *_readers_of(database, on, tuple(readers)),
    ]


def _apps(database: str, on: str) -> Iterator[str]:
    """Writer: the sink, signals and whatever only adds rows. Replayer: a writer that may delete runs. Migrator."""
    places = [database, f"{database}_local"] if on else [database]
    writer, replayer, migrator = (f"`{database}_{role}`" for role in (WRITER, REPLAYER, MIGRATOR))
    for role in (writer, replayer, migrator):
        yield f"CREATE ROLE IF NOT EXISTS {role}{on}"
    for place in places:
        yield f"GRANT{on} SELECT ON `{place}`.* TO {writer}"
        yield from (f"GRANT{on} INSERT ON `{place}`.`{table}` TO {writer}" for table in WRITTEN)
        yield from (f"GRANT{on} ALTER DELETE, OPTIMIZE ON `{place}`.`{table}` TO {replayer}" for table in DELETED_FROM)
        yield f"GRANT{on} {_MIGRATING} ON `{place}`.* TO {migrator}"
    # Statements carry keys as literals, which the engine reads as a table.
    yield f"GRANT{on} CREATE TEMPORARY TABLE ON *.* TO {writer}"
    yield f"GRANT{on} {writer} TO {replayer}"
    yield f"GRANT{on} SELECT ON system.clusters TO {writer}"
    yield f"GRANT{on} SELECT ON system.processes TO {migrator}"
    yield f"GRANT{on} SELECT ON system.clusters TO {migrator}"
    if on:
        yield f"GRANT{on} CLUSTER ON *.* TO {replayer}"
        yield f"GRANT{on} CLUSTER, REMOTE, CREATE TEMPORARY TABLE ON *.* TO {migrator}"


def _readers_of(database: str, on: str, readers: tuple[ReadersOf, ...]) -> Iterator[str]:
    """A permissive policy for everybody and a restrictive one for these readers: whoever has their role is restricted,
    whatever other roles they have; and of two such roles both restrict."""
    roles = [f"`{database}_{user}`" for user in ("reader", "auditor")]
    limited = [f"`{database}_reader_{one.name}`" for one in readers]
    views = [name for name in views_of("reader") if VIEWS[name].of_processes]
    for role in limited:
        yield f"CREATE ROLE IF NOT EXISTS {role}{on}"
    profile = f"CREATE SETTINGS PROFILE OR REPLACE `{database}_reader`{on}"
    yield f"{profile} SETTINGS {_LIMITS} TO {', '.join(roles + limited)}"
    if not readers:
        return
    for view in views:
        everybody = f"CREATE ROW POLICY OR REPLACE `{database}_everybody`{on} ON `{database}`.`{view}`"
        yield f"{everybody} FOR SELECT USING 1 AS PERMISSIVE TO ALL"
    for one, role in zip(readers, limited, strict=True):
        named = ", ".join(_text(process) for process in one.processes)
        for view in views:
            policy = f"CREATE ROW POLICY OR REPLACE `{database}_{one.name}`{on} ON `{database}`.`{view}`"
            yield f"{policy} FOR SELECT USING process IN ({named}) AS RESTRICTIVE TO {role}"
            yield f"GRANT{on} SELECT ON `{database}`.`{view}` TO {role}"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
