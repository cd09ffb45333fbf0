"""Rows of a replay to the store: in large inserts, one at a time, beside the fold that makes the next ones.

No window is looked up or aggregated on the way, as live does after each flush: the run is aggregated once, at its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.archive_reader import KeyRange, between
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.names import SOURCES
from sinks.clickhouse.patience import patiently
from sinks.clickhouse.shards import delete_rows
from sinks.clickhouse.windows import reaggregate_all, refresh_priors

FLUSH_ROWS = 50_000
_MOST_BYTES = 64 * 1024 * 1024
ROW_TABLES = ("handoffs", "exchanges", "problems", "evidence")
_TIES = {
    "handoffs": "toStartOfMonth(offered_at), site, origin, from_role, to_role",
    "exchanges": "toStartOfMonth(sent_at), site, 'explicit', from_role, arrayJoin(to_roles)",
    "problems": "toStartOfMonth(raised_at), site, 'explicit', from_role, arrayJoin(to_roles)",
}
_PROCESSES = "SELECT process FROM {table} WHERE run = {{run:String}} GROUP BY process"


class ReplayWriter:
    """Collects encoded rows and inserts them. For one thread; inserts run in another, one flush at a time.

    Args:
        rows: a flush begins once so many are held; memory holds two flushes at most.
    """

    def __init__(self, client: Client, rows: int = FLUSH_ROWS) -> None:
        self._client, self._most_rows = client, rows
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="replay-insert")
        self._under_way: Future[None] | None = None
        self._held: dict[str, list[bytes]] = defaultdict(list)
        self._rows = self._bytes = 0
        self._then: list[Callable[[], None]] = []

    def add(self, table: str, rows: bytes, count: int) -> None:
        """Take in `count` JSON objects, commas between them.

        Raises: as `flush`, for what was added before.
        """
        self._held[table].append(rows)
        self._rows += count
        self._bytes += len(rows)
        if self._rows >= self._most_rows or self._bytes >= _MOST_BYTES:
            self._begin()

    def once_written(self, then: Callable[[], None]) -> None:
        """Call `then`, in the thread that inserts, once everything added before is acknowledged."""
        self._then.append(then)

    def flush(self) -> None:
        """Everything added before is acknowledged.

        Raises: TransientError: the store is away for too long. ClickHouseError: a row is refused, a bug of ours.
        """
        self._begin()
        self._wait()

    def close(self) -> None:
        """Let go of the thread; what was not flushed is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        self._wait()
        held, then = dict(self._held), self._then
        self._held, self._then = defaultdict(list), []
        self._rows = self._bytes = 0
        self._under_way = self._pool.submit(self._write, held, then)

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _write(self, held: dict[str, list[bytes]], then: list[Callable[[], None]]) -> None:
        for table in list(held):
            rows = held.pop(table)
            patiently(lambda table=table, rows=rows: insert_rows(self._client, table, rows))  # type: ignore[misc]
        for call in then:
            call()


def clear_range(client: Client, run: str, keys: KeyRange) -> int:
    """Takes away a run's rows of a range of work items, which a killed replay may have written in part.

    Returns: how many there were. Cost: 5 ms for each table, where there are none.
    """
    given = {"run": run, **keys._asdict()}
    return sum(_clear(client, table, given, keys) for table in ROW_TABLES)


def _clear(client: Client, table: str, given: dict[str, str], keys: KeyRange) -> int:
    where = f"run = {{run:String}} AND {between(keys, 'work_item')}"
    ((count,),) = client.query(f"SELECT count() FROM {table} WHERE {where}", parameters=given).result_rows
    if count:
        delete_rows(client, table, where, given)
    return int(count)


def processes_of(client: Client, run: str) -> list[str]:
    """The processes that a run has rows of."""
    parts = " UNION DISTINCT ".join(_PROCESSES.format(table=table) for table in ROW_TABLES)
    return sorted(str(row[0]) for row in client.query(parts, parameters={"run": run}).result_rows)


def aggregate(client: Client, run: str) -> None:
    """What live does flush by flush, once for a whole run: names of ties, windows, priors.

    Cost: see `reaggregate_all`.
    """
    for table, number in SOURCES.items():
        ties = f"SELECT DISTINCT run, process, {_TIES[table]}, {number} FROM {table}"
        where = "WHERE run = {run:String} AND is_deleted = 0"
        columns = "run, process, month, site, origin, from_role, to_role, source"
        client.command(f"INSERT INTO tie_names ({columns}) {ties} {where}", parameters={"run": run})
    reaggregate_all(client, run)
    refresh_priors(client, run)
