"""What arrives, in which order, and what happens when a handler fails."""

from __future__ import annotations

import asyncio
from functools import partial

from schemas.errors import TransientError
from streams.transport.batch import PartitionBatch, TopicPartition
from tests.conformance.transport.conftest import Bench, eventually


async def test_every_record_is_delivered_once_and_in_order(bench: Bench) -> None:
    first, second = await bench.topic(), await bench.topic()
    await bench.fill(first, 4, 700)
    await bench.fill(second, 4, 300)
    worker = await bench.worker(None, first, second, max_batch_records=97).start()
    await eventually(lambda: len(worker.records()) >= 4000)
    for topic, count in ((first, 700), (second, 300)):
        for partition in range(4):
            offsets = [record.offset for record in worker.records(TopicPartition(topic, partition))]
            assert offsets == list(range(count))
    assert worker.records(TopicPartition(first, 2))[5].value == b"2:5"
    assert await worker.stop() == 0
    assert await bench.committed(first, range(4)) == dict.fromkeys(range(4), 700)


async def test_records_written_later_arrive_promptly(bench: Bench) -> None:
    topic = await bench.topic(1)
    worker = await bench.worker(None, topic).start()
    await eventually(worker.holds)

    def arrived(count: int) -> bool:
        return len(worker.records()) == count

    for number in range(5):
        await bench.fill(topic, 1, 1, first=number)
        await eventually(partial(arrived, number + 1), within_s=2)


async def test_transient_error_repeats_the_batch_without_loss_or_overtaking(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 300)
    failures = iter([True, True, False, True])

    async def fails_at_first(batch: PartitionBatch) -> None:
        if next(failures, False):
            raise TransientError("store is away", retry_after_s=0.05)

    worker = await bench.worker(fails_at_first, topic, max_batch_records=100).start()
    await eventually(lambda: len(worker.records()) >= 600)
    for partition in range(2):
        assert [r.offset for r in worker.records(TopicPartition(topic, partition))] == list(range(300))
    assert worker.seen[0] == worker.seen[1] == worker.seen[2]


async def test_failing_first_batch_of_a_new_group_is_read_again(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 50)

    async def fails(batch: PartitionBatch) -> None:
        raise ValueError("cannot handle this")

    failing = await bench.worker(fails, topic).start()
    assert await failing.exit_code() == 1
    assert await bench.committed(topic, [0]) == {0: 0}
    await bench.fill(topic, 1, 50, first=50)
    worker = await bench.worker(None, topic).start()
    await eventually(lambda: len(worker.records()) >= 100)
    assert [record.offset for record in worker.records()] == list(range(100))


async def test_crash_leaves_everything_unmarked_to_the_next_worker(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 500)

    async def fails_at_the_third(batch: PartitionBatch) -> None:
        if batch.first_offset >= 200:
            raise ValueError("cannot handle this")
        if batch.first_offset < 100:
            crashing.app.offsets.mark_safe(batch)
            await crashing.app.commit_safe()

    crashing = await bench.worker(fails_at_the_third, topic, max_batch_records=100).start()
    assert await crashing.exit_code() == 1
    assert "revoked" not in crashing.history
    assert await bench.committed(topic, [0]) == {0: 100}
    worker = await bench.worker(None, topic).start()
    await eventually(lambda: len(worker.records()) >= 400)
    assert [record.offset for record in worker.records()] == list(range(100, 500))


async def test_clean_stop_finishes_and_commits_the_batch_in_work(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 40)
    release = asyncio.Event()

    async def waits(batch: PartitionBatch) -> None:
        await release.wait()
        worker.app.offsets.mark_safe(batch)

    worker = await bench.worker(waits, topic).start()
    await eventually(lambda: worker.seen)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.2)
    release.set()
    assert await stopping == 0
    assert worker.history == ["assigned", "handled", "revoked"]
    assert await bench.committed(topic, [0]) == {0: 40}


async def test_slow_handler_bounds_what_is_in_memory(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 20_000)
    release = asyncio.Event()

    async def waits(batch: PartitionBatch) -> None:
        await release.wait()

    worker = await bench.worker(waits, topic, max_batch_records=100, buffered_batches=4).start()
    await eventually(lambda: worker.seen)
    await asyncio.sleep(1.5)
    offsets = worker.app.offsets
    delivered = sum(offsets.delivered_up_to(TopicPartition(topic, partition)) or 0 for partition in range(2))
    assert 100 <= delivered <= (4 + 2) * 100
    release.set()
    await eventually(lambda: len(worker.records()) == 40_000)


async def test_no_topic_is_created(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 1)
    before = set(await bench.admin.list_topics())
    worker = await bench.worker(None, topic).start()
    await eventually(lambda: worker.handled)
    assert await worker.stop() == 0
    assert set(await bench.admin.list_topics()) - before <= {"__consumer_offsets"}


async def test_worker_waits_for_its_topics_and_creates_none(bench: Bench) -> None:
    present, absent = await bench.topic(1), "absent-" + bench.group
    worker = await bench.worker(None, present, absent).start()
    await asyncio.sleep(1.5)
    assert not worker.holds()
    assert absent not in await bench.admin.list_topics()
    await bench.create(absent, 3)
    await eventually(lambda: len(worker.holds()) == 4)
    assert await worker.stop() == 0


async def test_worker_waiting_for_its_topics_can_be_stopped(bench: Bench) -> None:
    worker = await bench.worker(None, "absent-" + bench.group).start()
    await asyncio.sleep(0.5)
    assert await worker.stop() == 0
