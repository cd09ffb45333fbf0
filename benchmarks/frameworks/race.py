"""One contender once: its process, what it used, and whether its answer is right."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.cost import ROOT, Cost
from benchmarks.frameworks import jvm
from benchmarks.frameworks.contenders import Contender
from benchmarks.frameworks.contract import FINISHED, HALF, STARTED, Entry
from benchmarks.frameworks.environments import python_for
from benchmarks.frameworks.field import Field
from benchmarks.usage import Usage, usage
from deploy.composition.drain import INFER_GROUP, committed
from deploy.kafka.broker import end_with_parent
from schemas.errors import TransientError

_TIMEOUT_S = 400.0
_ASK_EVERY_S = 0.25


class Ran(NamedTuple):
    """What all events cost, and what the second half of them did, where that is known."""

    whole: Cost
    second_half: Cost | None


def prepared(contender: Contender) -> list[str]:
    """The beginning of its command, with everything installed and built.

    Raises: CannotRunError: it cannot be had here.
    """
    if contender.java:
        return jvm.command(jvm.built())
    return [str(python_for(contender)), "-m", f"benchmarks.frameworks.{contender.module}"]


async def run_once(field: Field, contender: Contender, job: str, broker: str, command: list[str]) -> Ran:
    """Raises: RuntimeError: it failed, with what it said. AssertionError: its answer is wrong. TimeoutError."""
    course = field.course(contender, job)
    with TemporaryDirectory(prefix="tieline-bench-") as name:
        folder = Path(name)
        entry = Entry(contender.name, job, broker, course.topic, len(course.sent), folder)
        arguments = jvm.arguments(entry) if contender.java else entry.arguments()
        async with asyncio.timeout(_TIMEOUT_S), _running([*command, *arguments], folder) as process:
            if contender.ends:
                await _ended(process, folder)
                ended = Usage(**json.loads((folder / FINISHED).read_text()))
            else:
                group = INFER_GROUP if contender.module == "tieline_infer" else entry.name
                await _committed_all(broker, group, course.ends(), process, folder)
                ended = usage(process.pid)
        await field.require_answer(entry, contender)
        began_s, half_s = _mark(folder / STARTED) or 0.0, _mark(folder / HALF)
    whole = Cost(ended.cpu_s - began_s, ended.peak_mib)
    return Ran(whole, None if half_s is None else Cost(ended.cpu_s - half_s, ended.peak_mib))


def _mark(path: Path) -> float | None:
    return float(json.loads(path.read_text())["cpu_s"]) if path.exists() else None


@asynccontextmanager
async def _running(command: list[str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "said.log").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=said, stderr=said, preexec_fn=end_with_parent(), env={**os.environ}
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process, folder: Path) -> None:
    if await process.wait():
        raise RuntimeError(_said(folder))


async def _committed_all(
    broker: str, group: str, ends: dict[tuple[str, int], int], process: asyncio.subprocess.Process, folder: Path
) -> None:
    while True:
        await asyncio.sleep(_ASK_EVERY_S)
        if process.returncode is not None:
            raise RuntimeError(_said(folder))
        if not (folder / STARTED).exists():
            continue
        try:
            offsets = await asyncio.to_thread(committed, broker, group)
        except TransientError:  # the group is being made
            continue
        if all(offsets.get(place, 0) >= end for place, end in ends.items()):
            return


def _said(folder: Path) -> str:
    return (folder / "said.log").read_text(errors="replace")[-3000:]
