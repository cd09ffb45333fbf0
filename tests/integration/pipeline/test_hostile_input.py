"""Every input is hostile: it becomes a dead letter, nothing else is lost, and nothing of it is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from schemas import topics
from schemas.topics import PARTITIONS
from streams.transport.barrier import read_to_barrier
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair
from tests.brokers import Broker
from tests.builders import act, assigned, event, offered, raw_event, worked
from tests.integration.pipeline.conftest import DEMO_POLICY
from tests.integration.pipeline.running import Running, running, until

SECRET = "Anna-Example-4711"
GOOD_KEY = b"p/w1"


def hostile() -> list[tuple[str, bytes | None, bytes | None, int]]:
    """(expected code, key, value, partition shift) of records that must be refused."""
    named = raw_event("work_item.assigned", 0, role="ward")
    named["data"]["note"] = SECRET
    as_actor = raw_event("work_item.assigned", 0, role="ward", actor={"id": SECRET, "kind": "human"})
    no_zone = raw_event("work_item.assigned", 0, role="ward") | {"time": "2026-01-01T00:00:00"}
    future = raw_event("work_item.assigned", 0, role="ward") | {"time": "2199-01-01T00:00:00Z"}
    fine = json.dumps(raw_event("work_item.assigned", 0, role="ward", id="fine")).encode()
    return [
        ("not_json", GOOD_KEY, f"{SECRET} is not JSON".encode(), 0),
        ("not_json", GOOD_KEY, b"\xff\xfe\x00", 0),
        ("not_json", GOOD_KEY, b"[" * 50_000, 0),
        ("missing_type", GOOD_KEY, b"{}", 0),
        ("unknown_type", GOOD_KEY, json.dumps({"type": SECRET}).encode(), 0),
        ("unknown_field", GOOD_KEY, json.dumps(named).encode(), 0),
        ("invalid_value", GOOD_KEY, json.dumps(as_actor).encode(), 0),
        ("invalid_value", GOOD_KEY, json.dumps(no_zone).encode(), 0),
        ("future", GOOD_KEY, json.dumps(future).encode(), 0),
        ("too_large", GOOD_KEY, b'"' + b"x" * 300_000 + b'"', 0),
        ("empty", GOOD_KEY, None, 0),
        ("wrong_key", b"p/other", fine, 0),
        ("wrong_key", None, fine, 0),
        ("wrong_partition", b"p/w-elsewhere", _elsewhere(), 1),
    ]


def _elsewhere() -> bytes:
    return json.dumps(raw_event("work_item.assigned", 0, role="ward", subject="w-elsewhere")).encode()


def produce(broker: str, records: list[tuple[str, bytes | None, bytes | None, int]]) -> None:
    async def send() -> None:
        async with BatchProducer(broker) as producer:
            for _, key, value, shift in records:
                number = (partition_for(key or GOOD_KEY, PARTITIONS) + shift) % PARTITIONS
                pair: Pair = (key, value)
                await producer.produce(topics.EVENTS, number, [pair])

    asyncio.run(send())


@pytest.mark.slow
def test_what_cannot_be_used_is_a_dead_letter_and_everything_else_goes_on(fresh_broker: Broker, tmp_path: Path) -> None:
    with running(fresh_broker, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send([assigned(0, "a", subject="before"), assigned(10, "b", subject="before")])
        produce(fresh_broker.address, hostile())
        tieline.send([worked(20, "b", subject="before"), offered(0, subject="after")])
        tieline.drain()
        letters = tieline.rows("SELECT code, count(DISTINCT id) FROM dead_letters GROUP BY code ORDER BY code")
        expected: dict[str, int] = {}
        for code, _, _, _ in hostile():
            expected[code] = expected.get(code, 0) + 1
        assert dict(letters) == expected
        found = tieline.rows("SELECT work_item, state FROM handoffs FINAL ORDER BY work_item")
        assert found == [("after", "offered"), ("before", "accepted")]
        assert tieline.rows("SELECT count() FROM events FINAL") == [(4,)], "only what was used is archived"
        assert_nobody_is_named(tieline, fresh_broker)


def assert_nobody_is_named(tieline: Running, broker: Broker) -> None:
    """The name is in what was sent to `tieline.events`, and nowhere after it."""
    for path in tieline.folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path.name

    async def everything() -> bytes:
        told = b""
        async with BatchProducer(broker.address) as producer:
            for topic in (entry for entry in topics.TOPICS if entry.name != topics.EVENTS):
                places = range(topic.partitions)
                reading = read_to_barrier(topic.name, places, broker=broker.address, producer=producer)
                told += b"".join([(record.key or b"") + (record.value or b"") async for record in reading])
        return told

    assert SECRET.encode() not in asyncio.run(everything())


@pytest.mark.slow
def test_two_contents_of_one_identity_leave_one_row_and_one_dead_letter(fresh_tansu: Broker, tmp_path: Path) -> None:
    """Whichever came first, the smaller canonical bytes win."""
    one = offered(0, id="same", b="ward", subject="w1")
    other = offered(0, id="same", b="icu", subject="w1")
    mirrored = [offered(0, id="same", b=role, subject="w2") for role in ("icu", "ward")]
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        for event in (one, other, *mirrored, one, *mirrored):
            tieline.send([event])
        tieline.drain()
        assert tieline.rows("SELECT work_item, to_role FROM handoffs FINAL ORDER BY work_item") == [
            ("w1", "icu"),
            ("w2", "icu"),
        ]
        assert tieline.rows("SELECT code, count(DISTINCT id) FROM dead_letters GROUP BY code") == [("conflict", 2)]


@pytest.mark.slow
def test_an_item_that_has_left_memory_and_is_flooded_then_loses_its_rows(fresh_tansu: Broker, tmp_path: Path) -> None:
    """Every event of the flood comes late; however many there are, the sink reads no more than it needs to know."""
    flood = [act("clarified", n / 100, "ward", id=f"c{n}", subject="flood") for n in range(12_000)]
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send(
            [offered(0, subject="flood"), event("work_item.closed", 9, subject="flood"), offered(0, subject="calm")]
        )
        tieline.drain()
        assert tieline.rows("SELECT work_item FROM handoffs FINAL ORDER BY work_item") == [("calm",), ("flood",)]
        until(lambda: tieline.rows("SELECT work_item FROM work_items FINAL WHERE evicted") == [("flood",)])
        tieline.stop("sink")
        tieline.send(flood)
        tieline.start_app("sink")
        tieline.drain()
        assert tieline.rows("SELECT work_item FROM handoffs FINAL") == [("calm",)]
        assert tieline.rows("SELECT work_item FROM work_items FINAL WHERE oversize") == [("flood",)]
        assert tieline.rows("SELECT count() FROM events FINAL WHERE subject = 'flood'") == [(12_002,)]
        assert tieline.rows("SELECT count() FROM dead_letters FINAL") == [(0,)]


@pytest.mark.slow
def test_an_oversize_item_ends_without_rows_and_the_others_keep_theirs(fresh_tansu: Broker, tmp_path: Path) -> None:
    flood = [act("clarified", n / 100, "ward", id=f"c{n}", subject="flood") for n in range(10_001)]
    with running(fresh_tansu, tmp_path / "data", DEMO_POLICY) as tieline:
        tieline.send([offered(0, subject="flood"), offered(0, subject="calm")])
        tieline.drain()
        assert tieline.rows("SELECT count() FROM handoffs FINAL") == [(2,)]
        tieline.send(flood)
        tieline.drain()
        assert tieline.rows("SELECT work_item FROM handoffs FINAL") == [("calm",)]
        assert tieline.rows("SELECT work_item FROM work_items FINAL WHERE oversize") == [("flood",)]
        codes = dict(tieline.rows("SELECT code, count() FROM dead_letters GROUP BY code"))
        assert set(codes) == {"oversize"}
