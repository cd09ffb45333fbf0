"""A courier whose client stalls says so of everything that it did not bring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.structs import RecordMetadata, TopicPartition

from streams.gateway.durable.courier import KafkaCourier, Round, Written

Write = Callable[[int, Round], Awaitable[Written]]
FIRST, SECOND, THIRD = (("tieline.events", number) for number in range(3))


class Chunk:
    """A batch of one record."""

    def __init__(self) -> None:
        self._records = 0

    def append(self, **_record: Any) -> object | None:
        if self._records:
            return None
        self._records = 1
        return object()

    def close(self) -> None: ...

    def record_count(self) -> int:
        return self._records


class Stalling:
    """A client that takes so many batches, and waits for room with the next one."""

    def __init__(self, takes: int) -> None:
        self._left = takes

    def create_batch(self) -> Chunk:
        return Chunk()

    async def send_batch(self, chunk: Chunk, topic: str, partition: int) -> asyncio.Future[RecordMetadata]:
        if not self._left:
            await asyncio.Event().wait()
        self._left -= 1
        answer: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        answer.set_result(RecordMetadata(topic, partition, TopicPartition(topic, partition), 0, 0, 0, 0))
        return answer


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a round through a client that takes so many batches."""

    async def written(takes: int, records: Round) -> Written:
        courier = KafkaCourier("127.0.0.1:1", idempotent=False)
        monkeypatch.setattr(courier, "_producer", Stalling(takes))
        found = await courier.write(records, 0.05)
        await courier.close()
        return found

    return written


@pytest.mark.parametrize("takes", range(3))
async def test_what_was_not_handed_over_in_time_is_not_acknowledged(takes: int, write: Write) -> None:
    written = await write(takes, {place: [(b"k", b"v")] for place in (FIRST, SECOND, THIRD)})
    assert set(written.ends) == {FIRST, SECOND, THIRD} - written.failed
    assert len(written.failed) == 3 - takes
    assert written.why == {"TimeoutError"}


async def test_a_place_of_which_a_part_was_handed_over_is_not_acknowledged(write: Write) -> None:
    written = await write(1, {FIRST: [(b"k", b"v")] * 5, SECOND: [(b"k", b"v")]})
    assert written.failed == {FIRST, SECOND}
