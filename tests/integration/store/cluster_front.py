"""`python -m tests.integration.store.cluster_front DATABASE --data DIR --port P`: the embedded front as two shards.

One engine plays both. Its configuration names a cluster whose two nodes are the engine itself, so that Distributed
tables ask it twice, once as each shard; a row policy on every table that holds rows lets a shard see the rows whose
sharding key is its own. What the engine cannot have is left out of statements: replication and ON CLUSTER need a
Keeper, other nodes would need ports.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deploy.embedded.front import __main__ as front
from deploy.embedded.front import engine
from sinks.clickhouse.sharding import SHARDED_BY

NAME = "two"
_ANY = {"source_hours": "cityHash64(hour, actor_kind)", "role_months": "cityHash64(role, month)"}
"""Sums that lie on any shard: here, parts of what is added up are on each."""
_CONFIG = """<clickhouse>
  <tcp_port>9000</tcp_port>
  <users_config>{users}</users_config>
  <remote_servers><{name}>{shards}</{name}></remote_servers>
</clickhouse>"""
_SHARD = """
    <shard>
      <internal_replication>true</internal_replication>
      <replica><host>127.0.0.1</host><port>9000</port></replica>
    </shard>"""
_USERS = """<clickhouse>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users><default>
    <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    <access_management>1</access_management><named_collection_control>1</named_collection_control>
    <databases><{rows}>{policies}</{rows}></databases>
  </default></users>
</clickhouse>"""


def alone(sql: str) -> str:
    """A statement for a cluster, for an engine that has no other nodes."""
    sql = re.sub(r" ON CLUSTER `\w+`", "", sql)
    return re.sub(r"Replicated(\w*MergeTree)\('[^']*', '\{replica\}'(?:, )?", r"\1(", sql)


def configured(folder: Path, database: str) -> Path:
    """Writes the engine's configuration; returns its path."""
    # Shard 0 is nobody's: a view that works on what is inserted, a statement that asks the local table.
    rules = {table: f"shardNum() IN (0, {_ANY.get(table, key)} % 2 + 1)" for table, key in SHARDED_BY.items()}
    policies = "".join(f"<{table}><filter>{escape(rule)}</filter></{table}>" for table, rule in rules.items())
    users, config = folder / "users.xml", folder / "config.xml"
    users.write_text(_USERS.format(rows=f"{database}_local", policies=policies))
    config.write_text(_CONFIG.format(users=users, name=NAME, shards=_SHARD * 2))
    return config


class _OnOneNode(engine.Handle):
    def configure(self, settings: Mapping[str, str]) -> None:
        near = {"prefer_localhost_replica": "1"} if "prefer_localhost_replica" in settings else {}
        super().configure({**settings, **near})

    def statement_count(self, sql: str) -> int:
        return super().statement_count(alone(sql))

    def query(self, sql: str, output_format: str, params: Mapping[str, str] | None = None) -> engine.Answer:
        return super().query(alone(sql), output_format, params)


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop."""
    database, folder = arguments[0], Path(arguments[arguments.index("--data") + 1])
    folder.mkdir(parents=True, exist_ok=True)
    options: Any = engine.SERVER_OPTIONS
    options["config-file"] = configured(folder, database)
    engine.Handle = _OnOneNode  # type: ignore[misc]
    return front.main(arguments[1:])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
