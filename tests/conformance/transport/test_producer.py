"""Writing batches."""

from __future__ import annotations

import asyncio

import pytest

from deploy.kafka.broker import free_port
from schemas.errors import InvalidEvent, TransientError
from streams.transport.barrier import read_to_barrier
from streams.transport.batch import Record
from streams.transport.producer import BatchProducer, ProducerSettings
from tests.conformance.transport.conftest import Bench

IMPATIENT = ProducerSettings(request_timeout_s=1.0, retry_budget_s=0.5)


def lacking_on_tansu(bench: Bench, request: pytest.FixtureRequest, reason: str) -> None:
    """Declare that this law does not hold on Tansu 0.6, and notice when it begins to."""
    if bench.broker.kind == "tansu":
        mark = pytest.mark.xfail(strict=True, reason=f"Tansu 0.6: {reason}", raises=pytest.fail.Exception)
        request.applymarker(mark)


async def stored(bench: Bench, topic: str, partition: int) -> list[Record]:
    reading = read_to_barrier(topic, [partition], broker=bench.broker.address, producer=bench.producer)
    return [record async for record in reading]


async def test_acknowledged_records_are_stored_in_order_across_chunks(bench: Bench) -> None:
    topic = await bench.topic(1)
    pairs = [(b"%d" % number, b"x" * 900) for number in range(2000)]
    async with BatchProducer(bench.broker.address, ProducerSettings(chunk_bytes=10_000)) as producer:
        assert await producer.produce(topic, 0, pairs) == 1999
    assert [(record.key, record.value) for record in await stored(bench, topic, 0)] == pairs


async def test_partitions_are_written_side_by_side(bench: Bench) -> None:
    topic = await bench.topic(8)
    pairs = [(b"k", b"v")] * 500
    assert await asyncio.gather(*(bench.producer.produce(topic, p, pairs) for p in range(8))) == [499] * 8


async def test_nothing_to_write_is_nothing_written(bench: Bench) -> None:
    topic = await bench.topic(1)
    assert await bench.producer.produce(topic, 0, []) is None
    assert await stored(bench, topic, 0) == []


async def test_missing_keys_and_values_and_the_timestamp_are_kept(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.producer.produce(topic, 0, [(None, b"v"), (b"k", None), (b"", b"")], timestamp_ms=1_700_000_000_123)
    records = await stored(bench, topic, 0)
    assert [(record.key, record.value) for record in records] == [(None, b"v"), (b"k", None), (b"", b"")]
    assert {record.timestamp_ms for record in records} == {1_700_000_000_123}


async def test_compressed_records_read_the_same(bench: Bench) -> None:
    topic = await bench.topic(1)
    async with BatchProducer(bench.broker.address, ProducerSettings(compression="gzip")) as producer:
        await producer.produce(topic, 0, [(b"k", b"v" * 100)] * 100)
    assert [record.value for record in await stored(bench, topic, 0)] == [b"v" * 100] * 100


async def test_record_beyond_the_brokers_limit_is_invalid(bench: Bench, request: pytest.FixtureRequest) -> None:
    lacking_on_tansu(bench, request, "it has no limit on the size of a record")
    topic = await bench.topic(1)
    with pytest.raises(InvalidEvent, match="too_large"):
        await bench.producer.produce(topic, 0, [(b"k", b"x" * 3_000_000)])


async def test_unknown_topic_is_transient(bench: Bench, request: pytest.FixtureRequest) -> None:
    lacking_on_tansu(bench, request, "it creates every topic that is asked for")
    async with BatchProducer(bench.broker.address, IMPATIENT) as producer:
        with pytest.raises(TransientError):
            await producer.produce("no-such-topic", 0, [(b"k", b"v")])


async def test_absent_broker_is_transient(broker: object) -> None:
    with pytest.raises(TransientError):
        await BatchProducer(f"127.0.0.1:{free_port()}", IMPATIENT).start()
    with pytest.raises(TransientError):
        await BatchProducer("127.0.0.1:1").produce("topic", 0, [(b"k", b"v")])
