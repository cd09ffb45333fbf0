"""The runs of a store: writing down what one is, finding it again, and taking it away with all its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.shards import delete_rows

LIVE = "live"
_COLUMNS = tuple(RunRecord.model_fields)


class ChunkDone(NamedTuple):
    """A chunk of a replay's source whose rows are written, and the distinct events and work items in it."""

    events: int
    work_items: int


def write_run(client: Client, record: RunRecord) -> None:
    """Writes down what a run is; the newest write of a name counts."""
    insert_rows(client, "runs", [record.model_dump_json().encode()])


def find_run(client: Client, run: str) -> RunRecord | None:
    """The run of that name; None: there is none, or it is deleted."""
    found = _records(client, "run = {run:String} AND NOT is_deleted", run)
    return found[0] if found else None


def list_runs(client: Client) -> list[RunRecord]:
    """All runs that are not deleted: live, then by name."""
    return _records(client, "NOT is_deleted ORDER BY run != {run:String}, run", LIVE)


def silent(client: Client, run: str, seconds: float) -> bool:
    """Whether nobody has written down anything about a run for so long, by the store's clock."""
    sql = "SELECT max(written_at) < now64(6) - toIntervalMillisecond({ms:UInt64}) FROM runs WHERE run = {run:String}"
    ((found,),) = client.query(sql, parameters={"run": run, "ms": int(seconds * 1000)}).result_rows
    return bool(found)


def write_chunk(client: Client, run: str, chunk: str, done: ChunkDone) -> None:
    """Notes that all rows of a chunk are acknowledged. Doing so again changes nothing."""
    client.insert("run_chunks", [[run, chunk, *done]], column_names=["run", "chunk", *ChunkDone._fields])


def chunks_done(client: Client, run: str) -> dict[str, ChunkDone]:
    """The chunks that a run has written, by id: what resuming it may leave out."""
    sql = "SELECT chunk, events, work_items FROM run_chunks FINAL WHERE run = {run:String} ORDER BY chunk"
    rows = client.query(sql, parameters={"run": run}).result_rows
    return {chunk: ChunkDone(int(events), int(items)) for chunk, events, items in rows}


def half_deleted(client: Client) -> list[str]:
    """Runs whose deletion was begun and not finished, by name."""
    return [record.run for record in _records(client, "is_deleted AND run != {run:String} ORDER BY run", "")]


def delete_run(client: Client, run: str, told: Callable[[str], None] = lambda table: None) -> dict[str, int]:
    """Deletes every row of a run from every table that has runs; returns how many from each.

    What was interrupted may be done again, and then finishes. Nobody may write to the run meanwhile. Whether it may be
    deleted at all is for the caller to say.

    Args:
        told: is called with the name of each table before its rows go.
    Cost: marks rows, about 0.1 s per table and 1 s per million rows; merges free the space later.
    """
    record = find_run(client, run)
    if record is not None:  # first, so that no list and no view of runs shows it while its rows go
        write_run(client, record.model_copy(update={"is_deleted": 1}))
    deleted = {}
    for table in _tables_with_runs(client):
        told(table)
        deleted[table] = _delete_from(client, table, run)
    return {table: count for table, count in deleted.items() if count}


def _delete_from(client: Client, table: str, run: str) -> int:
    ((count,),) = client.query(f"SELECT count() FROM `{table}` WHERE run = {{run:String}}", {"run": run}).result_rows
    if count:
        delete_rows(client, table, "run = {run:String}", {"run": run})
    return int(count)


def _tables_with_runs(client: Client) -> list[str]:
    """Windows first, so that figures go before what explains them; the table of runs last: until then it is known."""
    sql = """
SELECT c.table FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase() AND c.name = 'run'
    AND (t.engine LIKE '%MergeTree' OR t.engine = 'Distributed') AND c.table != 'promotions'
ORDER BY c.table != 'tie_windows', c.table = 'runs', c.table"""
    return [str(row[0]) for row in client.query(sql).result_rows]


def _records(client: Client, where: str, run: str) -> list[RunRecord]:
    sql = f"SELECT {', '.join(_COLUMNS)} FROM runs FINAL WHERE {where}"
    rows = client.query(sql, parameters={"run": run}).result_rows
    return [RunRecord.model_validate(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
