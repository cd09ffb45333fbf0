"""What the store did is told: rows as they are acknowledged, trouble by its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.errors import TransientError
from sinks.clickhouse.faults import KINDS, StoreAway, fault_of
from sinks.clickhouse.retry import Retry
from sinks.clickhouse.settings import ClickHouseSettings
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.writer import Writer


class Told:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.kinds: list[str] = []

    def inserted(self, table: str, rows: int, took_s: float) -> None:
        assert took_s >= 0
        self.rows[table] = self.rows.get(table, 0) + rows

    def aggregated(self, windows: int) -> None: ...

    def troubled(self, kind: str) -> None:
        self.kinds.append(kind)

    def answers(self) -> None: ...


def refusal(code: int | None) -> DatabaseError:
    error = DatabaseError("quotes a row: Anna Example")
    error.code = code
    return error


class Store:
    """Takes what it is given, after raising what it was told to; refuses rows that say so."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.while_inserting: Callable[[], object] = dict

    def raw_insert(self, _table: str, insert_block: bytes, **_options: object) -> None:
        self.while_inserting()
        if self.errors:
            raise self.errors.pop(0)
        if b"bad" in insert_block:
            raise refusal(27)


async def refuse(_table: str, _row: bytes, _code: str) -> None: ...


def writer(store: Store, told: Told, troubles: list[StoreAway | None]) -> Writer:
    retry = Retry(troubles.append, first_pause_s=0.001, threads=1)
    return Writer(cast(Client, store), retry, on_refused=refuse, watch=told)


async def test_rows_are_told_once_they_are_acknowledged_and_refused_ones_are_not() -> None:
    told, troubles = Told(), list[StoreAway | None]()
    writing = writer(Store(refusal(243)), told, troubles)
    await writing.add("evidence", [b'{"a":1}', b'{"bad":1}', b'{"b":1}'])
    await writing.flush()
    assert told.rows == {"evidence": 2}
    assert [trouble and trouble.fault.kind for trouble in troubles] == ["disk_full", None]
    assert "Anna" not in str(troubles[0])


async def test_store_that_answers_questions_and_takes_no_rows_is_away_all_the_time() -> None:
    troubles: list[StoreAway | None] = []
    retry, full = Retry(troubles.append, first_pause_s=0.001, longest_pause_s=0.001, threads=2), [refusal(243)] * 20

    def insert() -> None:
        if full:
            raise full.pop()

    inserting = asyncio.create_task(retry.call(insert))
    while len(full) > 10:
        await retry.call(lambda: "an answer")
    assert None not in troubles
    await inserting
    assert troubles[-1] is None
    assert troubles.count(None) == 1


async def test_call_that_was_given_up_does_not_leave_the_store_away() -> None:
    troubles, troubled = list[StoreAway | None](), asyncio.Event()

    def note(trouble: StoreAway | None) -> None:
        troubles.append(trouble)
        troubled.set()

    def fail() -> None:
        raise refusal(None)

    retry = Retry(note, first_pause_s=10.0, threads=1)
    given_up = asyncio.create_task(retry.call(fail))
    await troubled.wait()
    given_up.cancel()
    await asyncio.wait([given_up])
    await retry.call(lambda: "an answer")
    assert [trouble is None for trouble in troubles] == [False, True]


async def test_store_that_is_away_at_the_start_is_told() -> None:
    told = Told()
    store = ClickHouseStore(ClickHouseSettings(port=1), watch=told)
    with pytest.raises(TransientError):
        await store.open(refuse)
    assert told.kinds == ["no_answer"]


async def test_unwritten_rows_are_those_of_a_flush_under_way_too() -> None:
    store, seen = Store(), list[tuple[int, int]]()
    writing = writer(store, Told(), [])
    store.while_inserting = lambda: seen.append(writing.unwritten)
    await writing.add("evidence", [b"{}", b"{}"])
    assert writing.unwritten == (2, 4)
    await writing.flush()
    assert seen == [(2, 4)]
    assert writing.unwritten == (0, 0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(None, "no_answer"), (243, "disk_full"), (516, "account"), (60, "schema"), (241, "out_of_memory"), (999, "other")],
)
def test_trouble_has_a_kind_that_an_operator_can_act_on(code: int | None, kind: str) -> None:
    fault = fault_of(refusal(code))
    assert fault.kind == kind
    assert kind in KINDS
    assert str(StoreAway(fault, 1.0)).endswith(f"({kind})")
