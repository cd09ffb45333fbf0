"""Commits that fail, and what is believed about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka.errors import CommitFailedError, KafkaError, RequestTimedOutError, UnknownMemberIdError
from aiokafka.protocol.commit import OffsetCommitRequest

from schemas.errors import TransientError
from streams.transport.batch import PartitionBatch, TopicPartition
from tests.conformance.transport.conftest import Bench, Worker, eventually


@contextmanager
def commits(worker: Worker, answer: Callable[[Any], Any]) -> Iterator[None]:
    """Every offset commit meets `answer` instead of the broker."""
    coordinator = worker.app.consumer._thread._consumer._coordinator
    send = coordinator._send_req

    async def faulty(request: Any) -> Any:
        return await (answer(request) if isinstance(request, OffsetCommitRequest) else send(request))

    coordinator._send_req = faulty
    try:
        yield
    finally:
        coordinator._send_req = send


async def started(bench: Bench, topic: str, **settings: float) -> tuple[Worker, list[PartitionBatch]]:
    """A worker that has handled 30 records and marked none."""
    batches: list[PartitionBatch] = []

    async def keep(batch: PartitionBatch) -> None:
        batches.append(batch)

    await bench.fill(topic, 1, 30)
    worker = await bench.worker(keep, topic, **settings).start()
    await eventually(lambda: sum(map(len, batches)) == 30)
    return worker, batches


@pytest.mark.parametrize("error", [RequestTimedOutError, UnknownMemberIdError, KafkaError])
async def test_failed_commit_is_reported_and_changes_no_belief(bench: Bench, error: type[KafkaError]) -> None:
    topic = await bench.topic(1)
    worker, batches = await started(bench, topic, commit_timeout_s=0.5)
    tp, offsets = TopicPartition(topic, 0), worker.app.offsets

    async def refuse(_request: Any) -> Any:
        raise error

    assert offsets.mark_safe(batches[-1])
    with commits(worker, refuse):
        with pytest.raises(TransientError):
            await worker.app.commit_safe()
        assert offsets.committed(tp) == 0
        assert offsets.uncommitted()[tp].next_offset == 30
        assert await bench.committed(topic, [0]) == {0: 0}
    await worker.app.commit_safe()
    assert offsets.committed(tp) == 30
    assert await bench.committed(topic, [0]) == {0: 30}


async def test_commit_without_an_answer_ends_in_time(bench: Bench) -> None:
    topic = await bench.topic(1)
    worker, batches = await started(bench, topic, commit_timeout_s=0.5)

    async def silence(_request: Any) -> Any:
        await asyncio.sleep(60)

    worker.app.offsets.mark_safe(batches[-1])
    with commits(worker, silence), pytest.raises(TransientError):
        await asyncio.wait_for(worker.app.commit_safe(), 5)
    assert worker.app.offsets.committed(TopicPartition(topic, 0)) == 0


async def test_only_what_is_marked_is_ever_committed(bench: Bench) -> None:
    topic = await bench.topic(1)
    worker, batches = await started(bench, topic, max_batch_records=10)
    assert worker.app.offsets.mark_safe(batches[0])
    assert await worker.stop() == 0
    assert await bench.committed(topic, [0]) == {0: 10}


async def test_new_group_has_an_offset_before_its_first_batch(bench: Bench) -> None:
    topic = await bench.topic(3)
    await bench.fill(topic, 1, 5)
    seen: list[dict[int, int]] = []

    async def look(batch: PartitionBatch) -> None:
        seen.append(await bench.committed(topic, range(3)))

    await bench.worker(look, topic).start()
    await eventually(lambda: seen)
    assert seen[0] == {0: 0, 1: 0, 2: 0}


async def test_failed_initial_commit_delays_delivery_and_does_not_end_the_worker(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 5)
    worker = bench.worker(None, topic, commit_timeout_s=0.3)
    refused = []

    async def refuse(request: Any) -> Any:
        refused.append(request)
        raise RequestTimedOutError

    await worker.start()
    await eventually(lambda: worker.app._consumer is not None and worker.app.consumer._thread._consumer is not None)
    await eventually(lambda: worker.app.consumer._thread._consumer._coordinator is not None)
    with commits(worker, refuse):
        await eventually(lambda: refused)
        await asyncio.sleep(1)
        assert not worker.seen
    await eventually(lambda: len(worker.records()) == 5)


async def test_commit_of_an_earlier_generation_is_refused_here_already(bench: Bench) -> None:
    topic = await bench.topic(2)
    first = await bench.worker(None, topic).start()
    await eventually(first.holds)
    earlier = first.app.consumer._generation
    second = await bench.worker(None, topic).start()
    await eventually(lambda: len(first.holds()) == len(second.holds()) == 1)
    thread = first.app.consumer._thread
    with pytest.raises(CommitFailedError, match="generation"):
        await first.app.consumer._in_thread(
            thread.commit_until_acknowledged({TopicPartition(topic, 0): 7, TopicPartition(topic, 1): 7}, earlier)
        )
    assert await bench.committed(topic, range(2)) == {0: 0, 1: 0}
