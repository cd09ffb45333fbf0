"""Windows where several workers, or time, come between a row and its sums."""

from __future__ import annotations

import asyncio

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.clickhouse.queries.stored_rows import windows_unlike_evidence
from sinks.clickhouse.settings import ClickHouseSettings, connect
from tests.integration.store.rows import encoded, evidence, sink_of


def test_a_running_worker_that_takes_over_repairs_what_the_one_before_left(client: Client) -> None:
    """A dies between the rows and their windows; B, which has run since before, gets the partition."""

    async def go() -> None:
        old, new = evidence(revision=1), evidence(revision=2, is_deleted=1)
        a = sink_of(client)
        other = evidence("w2")
        await a.writer.add("evidence", encoded([old, other]))
        await a.writer.flush()
        await a.windows.refresh()
        b = sink_of(client)
        await b.windows.recover()  # B starts
        await a.writer.add("evidence", encoded([new]))
        await a.writer.flush()  # rows acknowledged; A is killed before refresh()
        client.command("OPTIMIZE TABLE evidence FINAL")  # a merge, as the engine does by itself
        await b.windows.recover()  # B is assigned the partition
        await b.writer.add("evidence", encoded([new]))  # B reads the uncommitted record again
        await b.writer.flush()
        await b.windows.refresh()

    asyncio.run(go())
    assert windows_unlike_evidence(client, "live") == []


def test_a_look_up_that_is_tried_again_after_an_hour_finds_what_it_looks_for(client: Client) -> None:
    """The store answers the insert of a look-up, then is away for more than an hour."""
    many = [evidence(f"w{n}", revision=1) for n in range(300)]
    gone = [row.model_copy(update={"revision": 2, "is_deleted": 1}) for row in many]

    async def go() -> None:
        a = sink_of(client)
        await a.writer.add("evidence", encoded([*many, evidence("stays")]))
        await a.writer.flush()
        await a.windows.refresh()
        real, failed = client.query, []

        def query(sql: str, *args: object, **kwargs: object) -> object:
            if "look_ups" in sql and not failed:
                failed.append(1)
                aged = "ALTER TABLE look_ups UPDATE asked_at = asked_at - 3700 WHERE 1 SETTINGS mutations_sync = 2"
                client.command(aged)
                client.command("OPTIMIZE TABLE look_ups FINAL")  # as merges do once the store is back
                raise DatabaseError("Code: 241. memory limit", code=241)
            return real(sql, *args, **kwargs)

        client.query = query  # type: ignore[method-assign]
        await a.writer.add("evidence", encoded(gone))
        await a.writer.flush()
        await a.windows.refresh()
        client.query = real  # type: ignore[method-assign]
        assert failed

    asyncio.run(go())
    assert windows_unlike_evidence(client, "live") == []


def test_a_sum_that_was_begun_earlier_never_wins_over_a_later_one(client: Client, store: ClickHouseSettings) -> None:
    """The first worker's statement stalls after it has taken its parts."""
    a, b = evidence("w1"), evidence("w2")
    slow_client = connect(store.model_copy(update={"database": client.database}))
    real = slow_client.command

    def command(sql: str, *args: object, **kwargs: object) -> object:
        if "INSERT INTO tie_windows" in sql:
            sql = sql.replace("FROM evidence FINAL WHERE ", "FROM evidence FINAL WHERE 0 = (SELECT sleep(1.5)) AND ")
        return real(sql, *args, **kwargs)

    slow_client.command = command

    async def go() -> None:
        one, two = sink_of(slow_client), sink_of(client)
        await one.writer.add("evidence", encoded([a]))
        await one.writer.flush()
        first = asyncio.create_task(one.windows.refresh())
        await asyncio.sleep(0.5)
        await two.writer.add("evidence", encoded([b]))
        await two.writer.flush()
        await two.windows.refresh()
        await first

    asyncio.run(go())
    assert client.query("SELECT n FROM tie_windows FINAL").result_rows == [(2,)]
