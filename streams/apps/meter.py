"""What a worker does, summed up for `tieline.measures`: a few additions per batch, one record every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from schemas import topics
from schemas.measure import App, Measure
from streams.apps.clock import Clock, wall_clock
from streams.telemetry.metric import Metric
from streams.telemetry.values import Values
from streams.transport.app import BatchApp
from streams.transport.batch import PartitionBatch

EVERY_S, IDLE_EVERY_S, SEND_TIMEOUT_S = 10.0, 60.0, 2.0
Pair = tuple[bytes | None, bytes | None]
_log = logging.getLogger(__name__)


class Producer(Protocol):
    """What sending needs of a producer; `BatchProducer` is one."""

    def produce(self, topic: str, partition: int, records: list[Pair], /) -> Awaitable[int | None]: ...


class Write(NamedTuple):
    """A batch on its way. `newest_ms`: Kafka timestamp of the newest record, of whichever batch is furthest behind."""

    began_s: float
    newest_ms: int | None


class Counted(NamedTuple):
    """Metrics that are counted where a meter is told: records read, and how long batches took to be written."""

    values: Values
    events: Metric
    seconds: Metric


class Meter:
    """Sums of one worker since the last `take`. For one event loop.

    Args:
        clock: the real one, whatever the app takes for now.
        elapsed_s: a clock that only goes forward.
        counted: told of everything that is summed up here, so that it is counted once.
    """

    def __init__(
        self,
        app: App,
        clock: Clock = wall_clock,
        elapsed_s: Callable[[], float] = time.monotonic,
        counted: Counted | None = None,
    ) -> None:
        self._app, self._clock, self._elapsed_s = app, clock, elapsed_s
        self._counted = counted
        self._last_lag_s: float | None = None
        self._under_way: list[Write] = []
        self._worker = uuid.uuid4().hex[:12]
        self._began_s = elapsed_s()
        self._events = self._batches = 0
        self._took_s = self._longest_s = 0.0
        self._lag_s: float | None = None

    @property
    def idle(self) -> bool:
        """Nothing was read or written since the last measure."""
        return not self._events and not self._batches

    @property
    def waited_s(self) -> float:
        """Seconds since the last measure."""
        return self._elapsed_s() - self._began_s

    def read(self, events: int) -> None:
        """So many records of `tieline.events` came in."""
        self._events += events
        if self._counted is not None:
            self._counted.values.add(self._counted.events, events)

    def begin(self, newest_ms: int | None) -> Write:
        """A batch is being written."""
        write = Write(self._elapsed_s(), newest_ms)
        self._under_way.append(write)
        return write

    def done(self, write: Write) -> None:
        """It is acknowledged."""
        took_s = self._elapsed_s() - write.began_s
        self.drop(write)
        self._batches += 1
        if self._counted is not None:
            self._counted.values.observe(self._counted.seconds, took_s)
        self._took_s += took_s
        self._longest_s = max(self._longest_s, took_s)
        if write.newest_ms is not None:
            self._last_lag_s = lag_s = self._age_s(write.newest_ms)
            self._lag_s = lag_s if self._lag_s is None else max(self._lag_s, lag_s)

    def drop(self, write: Write) -> None:
        """It will not be done: there was nothing to write, or it begins anew."""
        self._under_way = [each for each in self._under_way if each is not write]

    def lag_s(self) -> float:
        """Age of the newest record of what is being written, or what it was when the last write was done; 0 before."""
        waiting = [self._age_s(write.newest_ms) for write in self._under_way if write.newest_ms is not None]
        return max(0.0, *waiting, self._last_lag_s or 0.0)

    def _age_s(self, newest_ms: int) -> float:
        return self._clock().timestamp() - newest_ms / 1000

    def take(self, partitions: int) -> Measure:
        """The sums, which start again from nothing."""
        mean_s = self._took_s / self._batches if self._batches else None
        measure = Measure(
            at=self._clock(),
            app=self._app,
            worker=self._worker,
            interval_s=self.waited_s,
            events=self._events,
            batches=self._batches,
            batch_ms_mean=None if mean_s is None else mean_s * 1000,
            batch_ms_max=self._longest_s * 1000 if self._batches else None,
            lag_s=self._lag_s,
            partitions=partitions,
        )
        self._began_s = self._elapsed_s()
        self._events = self._batches = 0
        self._took_s = self._longest_s = 0.0
        self._lag_s = None
        return measure


def further_behind(newest_ms: int | None, batch: PartitionBatch) -> int:
    """The older of two: what is known so far, and the newest record of this batch."""
    last_ms = batch.records[-1].timestamp_ms
    return last_ms if newest_ms is None else min(newest_ms, last_ms)


class Reports:
    """Sends what a meter measured. Nothing depends on it: what cannot be sent is forgotten, and said once.

    Args:
        every_s: seconds between two measures; `idle_every_s` while there is nothing to tell, or nobody to tell it to.
        topic: whoever holds none of its partitions has nothing to tell.
    """

    def __init__(
        self,
        app: BatchApp,
        producer: Producer,
        meter: Meter,
        every_s: float = EVERY_S,
        idle_every_s: float = IDLE_EVERY_S,
        topic: str = topics.EVENTS,
    ) -> None:
        self._app, self._producer, self._meter = app, producer, meter
        self._every_s, self._idle_every_s, self._topic = every_s, idle_every_s, topic
        self._failing = False

    async def run(self) -> None:
        """Until cancelled; never raises anything else."""
        while True:
            await asyncio.sleep(self._idle_every_s if self._failing else self._every_s)
            held = sum(tp.topic == self._topic for tp in self._app.offsets.assigned())
            if held and (not self._meter.idle or self._meter.waited_s >= self._idle_every_s):
                await self.send(self._meter.take(held))

    async def send(self, measure: Measure) -> None:
        """One attempt."""
        record = (measure.worker.encode(), measure.model_dump_json().encode())
        try:
            await asyncio.wait_for(self._producer.produce(topics.MEASURES, 0, [record]), SEND_TIMEOUT_S)
        except Exception as error:  # whatever it is, the work goes on
            if not self._failing:
                _log.warning("measures are not sent: %r", error)
            self._failing = True
        else:
            self._failing = False
