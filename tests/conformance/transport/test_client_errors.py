"""What the client library would keep to itself: a worker that cannot go on ends; nothing is skipped or read anew."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest

from streams.transport.batch import PartitionBatch, TopicPartition
from tests.conformance.transport.conftest import Bench, Worker, eventually

UNKNOWN, LOADING, REFUSED = -1, 14, 30


async def cancelled_by_somebody_else() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


def answer_once(monkeypatch: pytest.MonkeyPatch, request_type: type, code: int) -> list[int]:
    """The next answer to such a request has this code. Returns: what is appended to begins and tells it."""
    send, told = GroupCoordinator._send_req, []

    async def spoiled(self: Any, request: Any) -> Any:
        response = await send(self, request)
        if isinstance(request, request_type) and not told and response.error_code == 0:
            told.append(code)
            response.error_code = code
        return response

    monkeypatch.setattr(GroupCoordinator, "_send_req", spoiled)
    return told


async def crashed(worker: Worker) -> bool:
    await eventually(lambda: worker.app.has_crashed, what="the end of the worker")
    return await worker.exit_code() == 1


async def test_a_handler_whose_own_task_was_cancelled_is_an_error_and_skips_nothing(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 20)

    async def handle(batch: PartitionBatch) -> None:
        if batch.first_offset == 5:
            await cancelled_by_somebody_else()
        worker.app.offsets.mark_safe(batch)
        await worker.app.commit_safe()

    worker = await bench.worker(handle, topic, max_batch_records=5).start()
    assert await crashed(worker)
    assert await bench.committed(topic, [0]) == {0: 5}


async def test_a_restore_that_is_cancelled_from_inside_ends_the_worker(bench: Bench) -> None:
    topic = await bench.topic(1)
    worker = bench.worker(None, topic)

    @worker.app.on_assigned
    async def hook(_tps: frozenset[TopicPartition]) -> None:
        await cancelled_by_somebody_else()

    await worker.start()
    assert await crashed(worker)


@pytest.mark.parametrize("code", [UNKNOWN, REFUSED])
async def test_an_error_at_the_join_ends_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    topic = await bench.topic(1)
    answer_once(monkeypatch, JoinGroupRequest, code)
    worker = await bench.worker(None, topic).start()
    assert await crashed(worker)


async def test_an_error_while_a_full_buffer_keeps_it_from_reading_ends_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 60)

    answer_once(monkeypatch, HeartbeatRequest, UNKNOWN)

    async def busy(_batch: PartitionBatch) -> None:
        await asyncio.sleep(60)

    worker = await bench.worker(busy, topic, max_batch_records=5, buffered_batches=1, hand_over_wait_s=0.3).start()
    await eventually(lambda: worker.seen)
    await eventually(lambda: worker.app.has_crashed, what="the end of the worker")


async def test_a_fetch_routine_that_dies_ends_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 20)
    worker = await bench.worker(None, topic).start()
    await eventually(lambda: len(worker.records()) == 20)

    async def bug(self: Any, *_args: Any, **_options: Any) -> None:
        raise KeyError("a partition that nobody asked for")

    monkeypatch.setattr(Fetcher, "_proc_fetch_request", bug)
    assert await crashed(worker)


async def test_a_coordinator_that_is_loading_has_not_forgotten_what_was_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 20)
    first = await bench.worker(None, topic).start()
    await eventually(lambda: len(first.records()) == 20)
    await first.stop()
    send, asked = GroupCoordinator._send_req, []

    async def loading_twice(self: Any, request: Any) -> Any:
        if isinstance(request, OffsetFetchRequest) and len(asked) < 2:
            asked.append(LOADING)  # since version 2: no topics, and a code on top
            return OffsetFetchResponse_v3(throttle_time_ms=0, topics=[], error_code=LOADING)
        return await send(self, request)

    monkeypatch.setattr(GroupCoordinator, "_send_req", loading_twice)
    second = await bench.worker(None, topic).start()
    await bench.fill(topic, 1, 1, first=20)
    await eventually(lambda: second.records() or second.app.has_crashed)
    assert await bench.committed(topic, [0]) in ({0: 20}, {0: 21})
    assert [record.offset for record in second.records()] in ([20], [])


async def test_a_revocation_during_a_stop_waits_until_all_is_saved(bench: Bench) -> None:
    topic, said = await bench.topic(2), []
    await bench.fill(topic, 2, 10)

    async def mark_only(batch: PartitionBatch) -> None:
        first.app.offsets.mark_safe(batch)

    first = bench.worker(mark_only, topic)

    @first.app.on_revoked
    async def save(_tps: frozenset[TopicPartition]) -> None:
        said.append("begins")
        await asyncio.sleep(4.0)
        said.append("ends")

    await first.start()
    await eventually(lambda: len(first.records()) == 20)
    stopping = asyncio.create_task(first.stop())
    await eventually(lambda: said)
    second = bench.worker(None, topic)

    @second.app.on_assigned
    async def takes(_tps: frozenset[TopicPartition]) -> None:
        said.append("taken")

    await second.start()
    assert await stopping == 0
    await eventually(lambda: "taken" in said)
    assert said[:2] == ["begins", "ends"]
    assert await bench.committed(topic, range(2)) == {0: 10, 1: 10}
