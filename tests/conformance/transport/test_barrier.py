"""Reading a topic up to now."""

from __future__ import annotations

import asyncio

import pytest

from deploy.kafka.broker import free_port
from schemas.errors import TransientError
from streams.transport.barrier import BARRIER_KEY, is_barrier, read_to_barrier
from streams.transport.batch import Record
from tests.conformance.transport.conftest import Bench


async def read(bench: Bench, topic: str, partitions: range) -> list[Record]:
    reading = read_to_barrier(topic, partitions, broker=bench.broker.address, producer=bench.producer)
    return [record async for record in reading]


async def test_everything_written_before_is_read_in_order(bench: Bench) -> None:
    topic = await bench.topic(3, **{"cleanup.policy": "compact"})
    written = await bench.fill(topic, 3, 5000)
    records = await read(bench, topic, range(3))
    assert [record.value for partition in range(3) for record in records if record.partition == partition] == written


async def test_only_the_asked_partitions_are_read(bench: Bench) -> None:
    topic = await bench.topic(3)
    await bench.fill(topic, 3, 10)
    assert {record.partition for record in await read(bench, topic, range(1, 3))} == {1, 2}


async def test_empty_partitions_end_at_once(bench: Bench) -> None:
    topic = await bench.topic(2)
    assert await asyncio.wait_for(read(bench, topic, range(2)), 10) == []
    assert await read(bench, topic, range(0)) == []


async def test_barriers_of_earlier_and_concurrent_readers_are_passed_over(bench: Bench) -> None:
    topic = await bench.topic(1)
    for _ in range(3):
        await bench.fill(topic, 1, 4)
        await read(bench, topic, range(1))
    together = await asyncio.gather(*(read(bench, topic, range(1)) for _ in range(3)))
    for records in together:
        assert len(records) == 12
        assert not any(map(is_barrier, records))


async def test_one_record_per_batch_and_many_are_both_read_to_the_end(bench: Bench) -> None:
    topic = await bench.topic(1)
    for number in range(20):
        await bench.producer.produce(topic, 0, [(b"k", b"%d" % number)])
    await bench.fill(topic, 1, 10)
    assert len(await read(bench, topic, range(1))) == 30


async def test_tombstones_are_read(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.producer.produce(topic, 0, [(b"a", b"1"), (b"a", None)])
    assert [record.value for record in await read(bench, topic, range(1))] == [b"1", None]


async def test_barrier_taken_by_compaction_for_a_newer_one_still_ends_the_reading(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 5)

    class Compacting:
        """A producer whose barrier is never stored, as if it had been compacted away already."""

        async def produce(self, topic: str, partition: int, records: list[tuple[bytes, bytes]]) -> int | None:
            assert records[0][0] == BARRIER_KEY
            gone = await bench.producer.produce(topic, partition, [(b"gone", b"gone")])
            await bench.producer.produce(topic, partition, [(BARRIER_KEY, b"newer")])
            return gone

    reading = read_to_barrier(topic, [0], broker=bench.broker.address, producer=Compacting())  # type: ignore[arg-type]
    assert len([record async for record in reading if record.key != b"gone"]) == 5


async def test_silence_ends_in_a_transient_error(bench: Bench) -> None:
    topic = await bench.topic(1)

    class Forgetful:
        """A producer whose records never arrive."""

        async def produce(self, topic: str, partition: int, records: list[tuple[bytes, bytes]]) -> int | None:
            return 7

    with pytest.raises(TransientError, match=r"no barrier in .* partitions 0"):
        async for _ in read_to_barrier(
            topic,
            [0],
            broker=bench.broker.address,
            producer=Forgetful(),  # type: ignore[arg-type]
            stall_timeout_s=1.0,
        ):
            pass


async def test_absent_broker_ends_in_a_transient_error(bench: Bench) -> None:
    topic = await bench.topic(1)
    with pytest.raises(TransientError):
        async for _ in read_to_barrier(topic, [0], broker=f"127.0.0.1:{free_port()}", producer=bench.producer):
            pass
