"""What is brought back when the embedded broker has forgotten everything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.composition.restore import restore
from schemas.rows import Row
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from streams.apps.sink.repair import oversize_fold
from streams.apps.state import encode_state
from streams.inference import history
from streams.inference.facts import facts
from tests.brokers import Broker
from tests.builders import LONG_AFTER, T0, assigned, offered, policy_book, worked
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Running, running


@pytest.mark.slow
def test_nothing_stands_of_an_oversize_item_though_the_broker_died_with_what_took_it_back(
    fresh_tansu: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is known as oversize, one only by what is archived of it; a third is none."""
    monkeypatch.setattr(history, "MAX_EVENTS", 2)
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        for app in ("infer", "sink"):
            tieline.stop(app)
        for item in ("known", "archived", "fine"):
            put(tieline, said_of(item))
        known = oversize_fold(("p", "known"), (), T0)
        known.changes(policy_book(), T0)
        write(tieline, "work_items", encode_state(known, T0))
        archive(tieline, "archived", 3)
        archive(tieline, "fine", 2)
        brought = asyncio.run(restore(tieline.client(), fresh_tansu.address, ()))
        assert (brought.states, brought.events) == (1, 2), "no event of an oversize item"
        for app in ("infer", "sink"):
            tieline.start_app(app)
        tieline.drain()
        assert tieline.rows("SELECT DISTINCT work_item FROM handoffs FINAL") == [("fine",)]
        assert tieline.rows("SELECT DISTINCT work_item FROM evidence FINAL") == [("fine",)]
        oversize = "SELECT work_item FROM work_items FINAL WHERE oversize ORDER BY work_item"
        assert tieline.rows(oversize) == [("archived",), ("known",)]


def said_of(item: str) -> list[Row]:
    return list(facts([offered(0, subject=item)], policy_book(), LONG_AFTER).rows.values())


def put(tieline: Running, rows: list[Row]) -> None:
    for row in rows:
        write(tieline, row.table, row.model_dump_json().encode())


def archive(tieline: Running, item: str, number: int) -> None:
    events = [offered(0, subject=item), assigned(1, "ward", subject=item), worked(2, "ward", subject=item)][:number]
    for each in events:
        write(tieline, "events", event_row(each, received_at=T0, topic="t", partition=0, offset=0))


def write(tieline: Running, table: str, row: bytes) -> None:
    client = tieline.client()
    insert_rows(client, table, [row])
    client.close()
