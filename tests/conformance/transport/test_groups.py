"""Several workers in one group: sharing, joining, leaving, and marks that come too late."""

from __future__ import annotations

import asyncio

from streams.transport.batch import PartitionBatch, TopicPartition
from tests.conformance.transport.conftest import Bench, Worker, eventually


def offsets_of(workers: list[Worker], tp: TopicPartition) -> list[int]:
    return [record.offset for worker in workers for record in worker.records(tp)]


async def test_two_workers_share_copartitioned_topics(bench: Bench) -> None:
    events, state = await bench.topic(5), await bench.topic(5)
    workers = [await bench.worker(None, events, state).start() for _ in range(2)]
    await eventually(lambda: {len(worker.holds()) for worker in workers} == {4, 6})
    for worker in workers:
        per_topic = [{tp.partition for tp in worker.holds() if tp.topic == topic} for topic in (events, state)]
        assert per_topic[0] == per_topic[1]


async def test_join_and_leave_lose_and_repeat_nothing(bench: Bench) -> None:
    topic = await bench.topic(4)
    await bench.fill(topic, 4, 500)
    first = await bench.worker(None, topic, max_batch_records=50).start()
    await eventually(lambda: first.handled)
    second = await bench.worker(None, topic, max_batch_records=50).start()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 2)
    await bench.fill(topic, 4, 500, first=500)
    await eventually(lambda: len(first.records()) + len(second.records()) >= 4000)
    assert await first.stop() == 0
    await eventually(lambda: len(second.holds()) == 4)
    await bench.fill(topic, 4, 100, first=1000)
    await eventually(lambda: len(first.records()) + len(second.records()) >= 4400)
    assert await second.stop() == 0
    for partition in range(4):
        assert offsets_of([first, second], TopicPartition(topic, partition)) == list(range(1100))
    assert await bench.committed(topic, range(4)) == dict.fromkeys(range(4), 1100)


async def test_revocation_waits_for_the_batch_in_work_and_keeps_its_mark(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 10)
    release = asyncio.Event()

    async def waits(batch: PartitionBatch) -> None:
        await release.wait()
        assert first.app.offsets.mark_safe(batch)

    first = await bench.worker(waits, topic).start()
    await eventually(lambda: first.seen)
    tp = first.seen[0].tp
    second = await bench.worker(None, topic).start()
    await asyncio.sleep(1.5)
    assert tp in first.holds(), "given up before the handler was done"
    assert not second.holds()
    release.set()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 1)
    assert first.history[:3] == ["assigned", "handled", "revoked"]
    await eventually(lambda: len(first.records()) + len(second.records()) >= 20)
    assert offsets_of([first, second], tp) == list(range(10))


async def test_mark_of_a_batch_that_outlived_its_assignment_is_void(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 10)
    release = asyncio.Event()
    marks: list[bool] = []

    async def outlasts_the_hand_over(batch: PartitionBatch) -> None:
        if len(first.seen) == 1:
            await release.wait()
        marks.append(first.app.offsets.mark_safe(batch))

    first = await bench.worker(outlasts_the_hand_over, topic, hand_over_wait_s=0.3).start()
    await eventually(lambda: first.seen)
    second = await bench.worker(None, topic).start()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 1)
    release.set()
    await eventually(lambda: marks)
    assert marks[0] is False
    stale = first.handled.pop(0).tp
    await eventually(lambda: len(first.records()) + len(second.records()) >= 20)
    assert offsets_of([first, second], stale) == list(range(10))


async def test_what_was_fetched_ahead_of_a_hand_over_is_read_again_by_who_keeps_the_partition(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 60)
    release = asyncio.Event()

    async def outlasts_the_hand_over(batch: PartitionBatch) -> None:
        if len(first.seen) == 1:
            await release.wait()
        if first.app.offsets.mark_safe(batch):
            await first.app.commit_safe()

    few = {"max_batch_records": 5, "buffered_batches": 1}
    first = await bench.worker(outlasts_the_hand_over, topic, hand_over_wait_s=0.3, **few).start()
    await eventually(lambda: first.seen)
    await asyncio.sleep(0.5)
    second = await bench.worker(None, topic, **few).start()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 1)
    release.set()
    (kept,) = first.holds()
    await eventually(
        lambda: set(offsets_of([first], kept)) == set(range(60)), what="every record of the kept partition"
    )


async def test_workers_that_come_and_go_under_a_backlog_leave_no_record_out(bench: Bench) -> None:
    topic = await bench.topic(4)
    await bench.fill(topic, 4, 5000)

    def slow_worker() -> Worker:
        async def takes_its_time(batch: PartitionBatch) -> None:
            await asyncio.sleep(0.005)
            if worker.app.offsets.mark_safe(batch):
                await worker.app.commit_safe()

        worker = bench.worker(takes_its_time, topic, max_batch_records=20, buffered_batches=2)
        return worker

    first = await slow_worker().start()
    await eventually(lambda: first.handled)
    for _ in range(3):
        guest = await slow_worker().start()
        await eventually(lambda: len(first.holds()) == len(bench.workers[-1].holds()) == 2)
        await eventually(lambda: bench.workers[-1].handled)
        assert await guest.stop() == 0
        await eventually(lambda: len(first.holds()) == 4)
    tps = [TopicPartition(topic, partition) for partition in range(4)]
    await eventually(
        lambda: all(set(offsets_of(bench.workers, tp)) == set(range(5000)) for tp in tps), what="every record"
    )


async def test_on_assigned_ends_before_the_first_delivery_however_long_it_takes(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 10)
    worker = bench.worker(None, topic)
    fresh_after_restore = []

    @worker.app.on_assigned
    async def restore(tps: frozenset[TopicPartition]) -> None:
        await asyncio.sleep(worker.app.transport_settings.session_timeout_s * 2)
        fresh_after_restore.append(worker.app.membership.is_fresh())
        worker.history.append("restored")

    await worker.start()
    await eventually(lambda: len(worker.records()) == 20)
    assert worker.history[:3] == ["assigned", "restored", "handled"]
    assert fresh_after_restore == [True]


async def test_revocation_during_a_restore_cancels_it_and_starts_it_anew(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 10)
    first = bench.worker(None, topic)
    hold = asyncio.Event()
    restores: list[str] = []

    @first.app.on_assigned
    async def restore(tps: frozenset[TopicPartition]) -> None:
        restores.append("began")
        try:
            await hold.wait()
        except asyncio.CancelledError:
            restores.append("cancelled")
            raise
        restores.append("ended")

    await first.start()
    await eventually(lambda: restores)
    second = await bench.worker(None, topic).start()
    await eventually(lambda: restores == ["began", "cancelled", "began"])
    assert "revoked" not in first.history, "nothing was restored, so there is nothing to save"
    hold.set()
    await eventually(lambda: len(first.records()) + len(second.records()) == 20)


async def test_on_revoked_may_commit_before_the_partitions_go(bench: Bench) -> None:
    topic = await bench.topic(2)
    await bench.fill(topic, 2, 10)
    held_back: list[PartitionBatch] = []

    async def checkpoint_later(batch: PartitionBatch) -> None:
        held_back.append(batch)

    first = bench.worker(checkpoint_later, topic)

    @first.app.on_revoked
    async def checkpoint(tps: frozenset[TopicPartition]) -> None:
        await asyncio.sleep(0.5)
        assert all(first.app.offsets.mark_safe(batch) for batch in held_back)
        await first.app.commit_safe()
        held_back.clear()

    await first.start()
    await eventually(lambda: len(first.records()) == 20)
    second = await bench.worker(None, topic).start()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 1)
    await asyncio.sleep(0.5)
    assert await bench.committed(topic, range(2)) == {0: 10, 1: 10}
    assert not second.records()


async def test_failing_on_revoked_ends_the_worker(bench: Bench) -> None:
    topic = await bench.topic(2)
    first = bench.worker(None, topic)

    @first.app.on_revoked
    async def fails(tps: frozenset[TopicPartition]) -> None:
        raise ValueError("cannot save")

    await first.start()
    await eventually(first.holds)
    await asyncio.sleep(0.5)
    second = await bench.worker(None, topic).start()
    assert await first.exit_code() == 1
    await eventually(lambda: len(second.holds()) == 2)
