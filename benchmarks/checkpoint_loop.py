"""A child process: the `infer` app with an interval of checkpoints of our choosing, until it has written everything."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from benchmarks.cost import Cost, own_peak_mib, report_self
from benchmarks.load import AS_OF, policies
from schemas import topics
from streams.apps.clock import pinned_clock
from streams.apps.infer.app import GROUP, Infer, InferSettings
from streams.transport.app import BatchApp, batch_app
from streams.transport.batch import TopicPartition
from streams.transport.runner import run_app
from streams.transport.settings import TransportSettings

NEVER_S = 1e9
_LOOK_EVERY_S = 0.02


class Watched:
    """The app, and when it had its partitions and was done."""

    def __init__(self, broker: str, interval_s: float | None) -> None:
        ours = InferSettings()
        if interval_s is not None:
            ours = InferSettings(checkpoint_interval_s=interval_s, checkpoint_events=int(NEVER_S))
        self.checkpoints = interval_s is None
        self.app: BatchApp = batch_app(GROUP, broker, settings=TransportSettings.embedded())
        self.infer = Infer(self.app, broker, policies(), ours, pinned_clock(AS_OF))
        self.infer.register()
        self.app.on_assigned(self._on_assigned)
        self.began_s = 0.0

    async def _on_assigned(self, _tps: frozenset[TopicPartition]) -> None:
        self.began_s = time.process_time()

    async def until(self, events: int) -> float:
        """CPU-seconds until all are committed, or written where nothing is committed."""
        while self._done() < events:  # noqa: ASYNC110 - the app tells nobody
            await asyncio.sleep(_LOOK_EVERY_S)
        return time.process_time() - self.began_s

    def _done(self) -> int:
        if not self.checkpoints:
            return sum(partition.written_offset for partition in self.infer.partitions.values())
        places = (TopicPartition(topics.EVENTS, number) for number in self.infer.partitions)
        return sum(self.app.offsets.committed(place) or 0 for place in places)


async def run(broker: str, events: int, interval_s: float | None, result: Path) -> None:
    watched, stop = Watched(broker, interval_s), asyncio.Event()
    running = asyncio.create_task(run_app(watched.app, stop=stop))
    done = asyncio.create_task(watched.until(events))
    await asyncio.wait({running, done}, return_when=asyncio.FIRST_COMPLETED)
    if not done.done():
        raise RuntimeError(f"the app ended with {running.result()}")
    report_self(result, Cost(done.result(), own_peak_mib()))
    stop.set()
    await running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--interval-s", type=float, help="of checkpoints; without it, the app's own")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(run(given.broker, given.events, given.interval_s, given.result))


if __name__ == "__main__":
    main()
