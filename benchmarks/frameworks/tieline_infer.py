"""`infer` as `tieline worker infer` runs it, and nothing else: its own checkpoints, its own topics."""

from __future__ import annotations

import asyncio

from benchmarks.frameworks.contract import Entry
from benchmarks.frameworks.infer_job import AS_OF_INSTANT
from benchmarks.load import policies
from streams.apps.infer.app import infer_app
from streams.transport.batch import TopicPartition
from streams.transport.runner import run_app


async def main(entry: Entry) -> int:
    app = infer_app(entry.broker, policies(), clock=lambda: AS_OF_INSTANT)

    async def started(_tps: frozenset[TopicPartition]) -> None:
        entry.started()

    app.on_assigned(started)  # after infer's own, which reads the states; before the first event
    return await run_app(app)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(Entry.from_arguments())))
