"""Workers as processes: killed, frozen, told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conformance.transport.conftest import Bench, eventually

_ROOT = Path(__file__).parents[3]


class Process:
    """A worker process and the lines it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[list[str]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().split())

    def said(self, word: str) -> list[list[str]]:
        return [line[1:] for line in self.lines if line[0] == word]

    def offsets(self, word: str) -> list[int]:
        """Offsets of partition 0 in the lines that begin with `word`."""
        spans = [(int(said[1]), int(said[2])) for said in self.said(word) if said[0] == "0"]
        return [offset for first, last in spans for offset in range(first, last)]

    async def exit_code(self) -> int:
        await asyncio.wait_for(self._reading, 30)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def worker_process(bench: Bench, topic: str, mode: str = "commit") -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "tests.conformance.transport.worker_process"]
    process = await asyncio.create_subprocess_exec(
        *command, bench.broker.address, bench.group, topic, mode, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    running = Process(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await running.exit_code()


async def test_killed_worker_is_replaced_from_its_last_commit(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 1000)
    async with worker_process(bench, topic) as killed:
        await eventually(lambda: len(killed.said("committed")) > 3)
        killed.process.kill()
        await killed.exit_code()
    async with worker_process(bench, topic) as heir:
        await eventually(lambda: 999 in heir.offsets("committed"))
        acknowledged, taken_over = killed.offsets("committed"), heir.offsets("committed")
    assert acknowledged == list(range(len(acknowledged)))
    assert taken_over == list(range(taken_over[0], 1000))
    # A commit may have been acknowledged without the line about it having been said, never the other way round.
    assert len(acknowledged) <= taken_over[0] <= len(acknowledged) + 50


async def test_frozen_worker_knows_that_it_is_stale_before_it_handles_anything(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 100)
    async with worker_process(bench, topic) as frozen:
        await eventually(lambda: 99 in frozen.offsets("committed"))
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            async with worker_process(bench, topic) as heir:
                await eventually(lambda: heir.said("assigned"))
                await bench.fill(topic, 1, 100, first=100)
                await eventually(lambda: 199 in heir.offsets("committed"))
                before = len(frozen.lines)
                frozen.process.send_signal(signal.SIGCONT)
                await eventually(lambda: ["membership", "stale"] in frozen.lines[before:])
                awake = frozen.lines[before:]
                stale_at = awake.index(["membership", "stale"])
                assert not [line for line in awake[:stale_at] if line[0] == "committed"]
                assert not [line for line in awake if line[0] == "handling" and line[-1] == "stale"]
                await eventually(lambda: ["membership", "fresh"] in frozen.lines[before + stale_at :])
        finally:
            frozen.process.send_signal(signal.SIGCONT)


async def test_sigterm_ends_a_worker_cleanly(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 100)
    async with worker_process(bench, topic) as process:
        await eventually(lambda: 99 in process.offsets("committed"))
        process.process.terminate()
        assert await process.exit_code() == 0
        assert process.lines[-1] == ["revoked", "0"] or process.said("revoked") == [["0"]]
    assert await bench.committed(topic, [0]) == {0: 100}


async def test_crash_ends_a_worker_with_an_error_and_commits_nothing(bench: Bench) -> None:
    topic = await bench.topic(1)
    await bench.fill(topic, 1, 100)
    async with worker_process(bench, topic, "crash") as process:
        assert await process.exit_code() == 1
        assert not process.said("revoked")
    assert await bench.committed(topic, [0]) == {0: 0}
