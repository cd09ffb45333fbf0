"""A bounded number of requests runs at once, a bounded number waits, the rest is told to come again."""

from __future__ import annotations

import asyncio

import pytest

from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.work import Lane


async def test_lane_runs_some_keeps_some_waiting_and_refuses_the_rest() -> None:
    lane = Lane(slots=2, waiting=1)
    release = asyncio.Event()
    running = 0

    async def request() -> None:
        nonlocal running
        async with lane.turn():
            running += 1
            await release.wait()

    tasks = [asyncio.create_task(request()) for _ in range(4)]
    refused = (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0].pop()
    with pytest.raises(StoreError) as error:
        refused.result()
    assert (error.value.code, error.value.http_status, running) == (202, 503, 2)
    release.set()
    await asyncio.gather(*(task for task in tasks if task is not refused))
    assert running == 3


async def test_a_request_that_fails_frees_its_place() -> None:
    lane = Lane(slots=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="boom"):
            async with lane.turn():
                raise ValueError("boom")
    async with lane.turn():
        pass
