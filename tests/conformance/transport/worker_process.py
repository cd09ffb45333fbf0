"""A worker in a process of its own, to be frozen and killed; says on stdout, line by line, what it does.

`python -m tests.conformance.transport.worker_process BROKER GROUP TOPIC [commit|crash|stuck]`
"""

from __future__ import annotations

import asyncio
import sys

from streams.transport.app import batch_app
from streams.transport.batch import PartitionBatch, TopicPartition
from streams.transport.runner import run_app
from streams.transport.settings import TransportSettings


def say(*words: object) -> None:
    print(*words, flush=True)


async def main(broker: str, group: str, topic: str, mode: str) -> int:
    settings = TransportSettings(session_timeout_s=2.0, heartbeat_interval_s=0.5, max_batch_records=50)
    app = batch_app(group, broker, settings=settings)

    async def handle(batch: PartitionBatch) -> None:
        fresh = "fresh" if app.membership.is_fresh() else "stale"
        say("handling", batch.partition, batch.first_offset, batch.next_offset, fresh)
        if mode == "crash":
            raise ValueError("cannot handle this")
        if mode == "stuck":
            await asyncio.sleep(3600)
        await asyncio.sleep(0.05)
        app.offsets.mark_safe(batch)
        await app.commit_safe()
        say("committed", batch.partition, batch.first_offset, batch.next_offset)

    @app.on_assigned
    async def assigned(tps: frozenset[TopicPartition]) -> None:
        say("assigned", *sorted(tp.partition for tp in tps))

    @app.on_revoked
    async def revoked(tps: frozenset[TopicPartition]) -> None:
        say("revoked", *sorted(tp.partition for tp in tps))

    @app.task  # type: ignore[untyped-decorator]
    async def watch() -> None:
        was_fresh = None
        while True:
            is_fresh = app.membership.is_fresh()
            if is_fresh != was_fresh:
                say("membership", "fresh" if is_fresh else "stale")
            was_fresh = is_fresh
            await asyncio.sleep(0.02)

    app.feed(handle, topic, name="process")
    return await run_app(app)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
