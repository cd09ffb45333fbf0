"""One number per table for what it says, whatever order and however often it was written.

Left out is what depends on when and how something was written (revision, version, time of arrival, Kafka coordinates)
and the name of the run, so that a replay can be compared with `live`. Two stores with equal hashes (at one pinned
as_of) hold the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

_WRITTEN_NOT_SAID = {
    "handoffs": ("run", "revision", "is_deleted"),
    "exchanges": ("run", "revision", "is_deleted"),
    "problems": ("run", "revision", "is_deleted"),
    "evidence": ("run", "revision", "is_deleted"),
    "tie_windows": ("run", "version", "is_deleted"),
    "events": ("received_at", "topic", "partition", "offset", "payload_hash"),
}
HASHED = tuple(_WRITTEN_NOT_SAID)
ARCHIVE = "events"


class Content(NamedTuple):
    """Distinct rows of a table, and the sum of their 128-bit hashes in hex."""

    rows: int
    hash: str


def content_hash(client: Client, run: str = "live") -> dict[str, Content]:
    """The content of every table whose rows must be the same after a replay; the archive of events is of all runs.

    Cost: reads the whole of the run, about 2 s per million rows.
    """
    return {table: _content(client, table, run) for table in HASHED}


def run_contents(client: Client, run: str, process: str = "") -> dict[str, Content]:
    """The content of the tables that a run writes, without the archive; of one process, if one is given.

    Cost: as `content_hash`.
    """
    return {table: _content(client, table, run, process) for table in HASHED if table != ARCHIVE}


def combined_hash(contents: Mapping[str, Content]) -> str:
    """One hash for several tables: SHA-256 in hex, over their names, rows and hashes, the archive left out."""
    lines = [f"{table} {contents[table].rows} {contents[table].hash}\n" for table in sorted(contents)]
    return hashlib.sha256("".join(line for line in lines if not line.startswith(f"{ARCHIVE} ")).encode()).hexdigest()


def _content(client: Client, table: str, run: str, process: str = "") -> Content:
    columns = [name for name in _stored_columns(client, table) if name not in _WRITTEN_NOT_SAID[table]]
    conditions = [] if table == ARCHIVE else ["run = {run:String}"]
    conditions += ["process = {process:String}"] if process else []
    scope = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # As JSON, nulls, times and floats to the last bit are written out; a plain hash of a tuple passes over nulls.
    sql = f"""
SELECT count(), hex(sum(reinterpretAsUInt128(sipHash128(toJSONString(tuple({", ".join(columns)}))))))
FROM {table} FINAL {scope}"""
    ((rows, digest),) = client.query(sql, parameters={"run": run, "process": process}).result_rows
    return Content(int(rows), str(digest))


def _stored_columns(client: Client, table: str) -> list[str]:
    """Names in alphabetical order, computed columns left out: the order of migrations must not matter."""
    sql = """
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND default_kind IN ('', 'DEFAULT') ORDER BY name"""
    return [row[0] for row in client.query(sql, parameters={"table": table}).result_rows]
