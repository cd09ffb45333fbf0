"""ClickHouse as the store of the `sink` app: writer, windows and priors behind one door."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from clickhouse_connect.driver.client import Client

from schemas.envelope import Envelope
from schemas.errors import InvariantError, TransientError
from schemas.policy import PolicyBook
from schemas.rows import METHOD_VERSION
from sinks.clickhouse.faults import StoreAway
from sinks.clickhouse.migrate import require_current
from sinks.clickhouse.names import SOURCES, Names
from sinks.clickhouse.queries.work_items import Key, due_items, item_payloads, item_sizes, standing_rows
from sinks.clickhouse.records import RunRecord, event_row, process_records, process_row
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.run_policy import policy_text
from sinks.clickhouse.settings import ClickHouseSettings, connect
from sinks.clickhouse.watch import StoreWatch, Unwatched
from sinks.clickhouse.windows import Windows, refresh_priors
from sinks.clickhouse.writer import BeforeInsert, Writer

Refused = Callable[[str, bytes, str], Awaitable[None]]
Part = TypeVar("Part")
_log = logging.getLogger(__name__)


class ClickHouseStore:
    """A store for one run. For one event loop; blocking calls go to threads and are retried until they succeed."""

    def __init__(self, settings: ClickHouseSettings, run: str = "live", watch: StoreWatch | None = None) -> None:
        self._settings, self._run = settings, run
        self._watch = watch or Unwatched()
        self._retry = Retry(self._say)
        self._client: Client | None = None
        self._writer: Writer | None = None
        self._windows: Windows | None = None
        self._stale_priors = True
        self._started_at = datetime.now(UTC)
        self._refreshing = asyncio.Lock()

    async def open(self, on_refused: Refused) -> None:
        """Connect, check that the tables are of this version, and repair windows of an interrupted flush.

        Raises: ConfigError: the account is refused, or migrations are missing. TransientError: no answer.
        """
        client = await self._connected()
        await self._retry.call(lambda: require_current(client))
        windows, names = Windows(client, self._retry), Names(client, self._retry)
        await windows.recover()
        self._client, self._windows = client, windows
        self._writer = Writer(
            client, self._retry, on_refused=on_refused, before=before_inserts(windows, names), watch=self._watch
        )

    async def _connected(self) -> Client:
        try:
            client = await asyncio.to_thread(connect, self._settings)
        except TransientError:  # whoever opens says so and tries again
            self._watch.troubled("no_answer")
            raise
        self._watch.answers()
        return client

    async def take_over(self) -> None:
        """Repair windows that a flush of the worker before us may have left; what it noted is known to the store."""
        await _opened(self._windows).recover()

    async def close(self) -> None:
        """Let go of the connection and the threads."""
        self._retry.close()
        if self._client is not None:
            self._client.close()

    def archive_row(
        self, event: Envelope, payload: bytes, received_at: datetime, topic: str, partition: int, offset: int
    ) -> bytes:
        """The encoded row of `events` for one event; `payload` are its canonical bytes."""
        return event_row(
            event, received_at=received_at, topic=topic, partition=partition, offset=offset, payload=payload
        )

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        """Take in encoded rows; waits while the buffer is full."""
        if rows:
            await _opened(self._writer).add(table, rows)

    async def flush(self) -> None:
        """Everything added before is acknowledged, and the windows it touches are re-aggregated."""
        await _opened(self._writer).flush()
        async with self._refreshing:
            windows = await _opened(self._windows).refresh()
            if windows:
                self._stale_priors = True
                self._watch.aggregated(windows)

    def unwritten(self) -> tuple[int, int]:
        """Rows and bytes that are not acknowledged yet."""
        return self._writer.unwritten if self._writer else (0, 0)

    async def declare(self, policies: PolicyBook, processes: Iterable[str]) -> None:
        """Write what the policy promises for these processes, and with which versions the run works."""
        rows = [process_row(record) for record in process_records(policies, self._run, processes)]
        await self.add("processes", rows)
        record = RunRecord(
            run=self._run,
            kind="live",
            status="running",
            policy_versions=tuple(policy.version for policy in policies.policies),
            policy=policy_text(policies),
            method_version=METHOD_VERSION,
            started_at=self._started_at,
        )
        await self.add("runs", [record.model_dump_json().encode()])

    async def refresh_priors(self) -> None:
        """Compute the priors again, if windows have changed."""
        if self._stale_priors:
            self._stale_priors = False
            client = _opened(self._client)
            await self._retry.call(lambda: refresh_priors(client, self._run))

    async def item_payloads(self, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[bytes]]:
        """All archived contents of these work items."""
        client = _opened(self._client)
        return await self._retry.call(lambda: item_payloads(client, items))

    async def item_sizes(self, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """How many archived contents these work items have, addressees counted, and how many bytes they are."""
        client = _opened(self._client)
        return await self._retry.call(lambda: item_sizes(client, items))

    async def standing_rows(self, item: tuple[str, str]) -> list[Key]:
        """The key of every row of a work item that was not taken back."""
        client = _opened(self._client)
        return await self._retry.call(lambda: standing_rows(client, self._run, item))

    async def due_items(self, now: datetime) -> list[tuple[str, str]]:
        """Evicted work items whose next deadline has passed."""
        client = _opened(self._client)
        return await self._retry.call(lambda: due_items(client, self._run, now))

    def _say(self, trouble: StoreAway | None) -> None:
        """The store is away, or back: operators look for this line."""
        if trouble is None:
            self._watch.answers()
            _log.warning("the store answers again")
        else:
            self._watch.troubled(trouble.fault.kind)
            _log.warning("the store is away, trying again: %s", trouble)


def before_inserts(windows: Windows, names: Names) -> dict[str, BeforeInsert]:
    """What a writer does before it inserts into a table, so that what is made from the rows stays true."""
    before: dict[str, BeforeInsert] = {table: partial(names.before_insert, table) for table in SOURCES}
    return {**before, "evidence": windows.before_insert}


def _opened(part: Part | None) -> Part:
    if part is None:
        raise InvariantError("the store is used before it is open")
    return part
