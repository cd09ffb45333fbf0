"""Run by test_compose_users.py in a process of its own: the engine with the compose file's ClickHouse settings.

Users cannot log in to the engine in process; what a user may do is seen by views that read with that user's rights.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import chdb

DOCKER = Path(__file__).parents[2] / "deploy" / "docker" / "clickhouse"
# What the image brings of its own; the user that we are in process stands for the writer, who may do everything too.
SERVER = "<clickhouse><users_config>{users}</users_config></clickhouse>"
USERS = """<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users><default>
        <password/><networks><ip>::1</ip></networks><profile>tieline_writer</profile><quota>default</quota>
        <access_management>1</access_management>
    </default></users>
</clickhouse>"""


def start(folder: Path) -> Any:
    """The engine, configured as in the container."""
    for name in ("users", "server"):
        (folder / name).mkdir()
    users, server = folder / "users" / "users.xml", folder / "server" / "config.xml"
    users.write_text(USERS)
    server.write_text(SERVER.format(users=users))
    for beside, file in ((users.parent / "users.d", "users.xml"), (server.parent / "config.d", "server.xml")):
        beside.mkdir()
        shutil.copy(DOCKER / file, beside / "tieline.xml")
    return chdb.connect(f"{folder / 'data'}?config-file={server}")


def rows(store: Any, sql: str) -> list[list[Any]]:
    """The result of a query."""
    lines = str(store.query(sql, "JSONCompactEachRow")).splitlines()
    return [json.loads(line) for line in lines]


def migrate(store: Any) -> None:
    """Every migration, as `tieline migrate` runs them."""
    from sinks.clickhouse.migrate import migrations

    store.query("CREATE DATABASE tieline")
    store.query("USE tieline")
    for migration in migrations():
        for statement in migration.statements:
            store.query(statement)


def may_read(store: Any, user: str, source: str) -> str:
    """`yes`, `denied`, or what else went wrong."""
    try:
        store.query(f"CREATE OR REPLACE VIEW probe DEFINER = {user} SQL SECURITY DEFINER AS SELECT * FROM {source}")
        store.query("SELECT * FROM probe")
    except Exception as error:
        return "denied" if f"{user}: Not enough privileges" in str(error) else str(error)
    return "yes"


def source_of(name: str) -> str:
    """What stands after FROM to read a table or view."""
    from sinks.clickhouse.audiences import VIEWS

    takes_period = name in VIEWS and VIEWS[name].takes_period
    more = "".join(f", {also} = 'live'" for also in (VIEWS[name].also_takes if name in VIEWS else ()))
    period = f"(run = 'live', `from` = '2026-01-01', `to` = '2026-02-01', process = '', site = ''{more})"
    return f"{name}{period}" if takes_period else name


def main(folder: Path) -> None:
    """Prints as JSON which tables and views there are, and which of them the reader may read."""
    store = start(folder)
    migrate(store)
    names = [row[0] for row in rows(store, "SELECT name FROM system.tables WHERE database = 'tieline'")]
    found = {
        "users": sorted(row[0] for row in rows(store, "SELECT name FROM system.users")),
        "reader": {name: may_read(store, "reader", source_of(name)) for name in names},
        "writer": {name: may_read(store, "tieline", source_of(name)) for name in names},
        "file": may_read(store, "reader", "file('/etc/hostname', 'LineAsString')"),
        "server": may_read(store, "reader", "url('http://127.0.0.1:9/', 'LineAsString')"),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
