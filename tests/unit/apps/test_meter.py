"""What workers say about their work: sums that cost nothing and that nothing depends on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from schemas import topics
from schemas.errors import TransientError
from schemas.measure import Measure
from streams.apps.meter import Meter, Pair, Reports, further_behind
from streams.transport.app import BatchApp
from streams.transport.batch import PartitionBatch, Record, TopicPartition
from streams.transport.offsets import Offsets

NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Time:
    """Both clocks of a meter; they move when told to."""

    def __init__(self) -> None:
        self.elapsed_s = 100.0

    def meter(self) -> Meter:
        return Meter("sink", lambda: NOW + timedelta(seconds=self.elapsed_s - 100), lambda: self.elapsed_s)


class Broker:
    """Remembers what was produced, or fails in its own way."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.written: list[tuple[str, int, list[Pair]]] = []

    async def produce(self, topic: str, partition: int, records: list[Pair], /) -> int | None:
        if self.failure:
            raise self.failure
        self.written.append((topic, partition, records))
        return 0


class App:
    """Holds two partitions of events and one of something else."""

    def __init__(self, *names: str) -> None:
        self.offsets = Offsets()
        self.offsets.assign(TopicPartition(name, number) for number, name in enumerate(names))


def reports(broker: Broker, meter: Meter, *names: str, idle_every_s: float = 60.0) -> Reports:
    app = cast(BatchApp, App(*names or (topics.EVENTS, topics.EVENTS, topics.STATE)))
    return Reports(app, broker, meter, every_s=0.0, idle_every_s=idle_every_s)


async def running(report: Reports) -> None:
    """A few rounds."""
    task = asyncio.create_task(report.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def test_a_measure_is_the_sums_since_the_one_before() -> None:
    time = Time()
    meter = time.meter()
    meter.read(3)
    for took_s in (1.0, 3.0):
        write = meter.begin(None)
        time.elapsed_s += took_s
        meter.done(write)
    meter.read(4)
    first = meter.take(24)
    assert (first.events, first.batches, first.batch_ms_mean, first.batch_ms_max) == (7, 2, 2000.0, 3000.0)
    assert (first.interval_s, first.at, first.partitions, first.lag_s) == (4.0, NOW + timedelta(seconds=4), 24, None)
    time.elapsed_s += 6
    second = meter.take(23)
    assert (second.interval_s, second.events, second.batches, second.partitions) == (6.0, 0, 0, 23)
    assert (second.batch_ms_mean, second.batch_ms_max, second.lag_s) == (None, None, None)
    assert first.worker == second.worker != time.meter().take(1).worker


def test_lag_is_the_age_of_what_was_furthest_behind_once_it_was_written() -> None:
    time = Time()
    meter = time.meter()
    for age_s in (2, 5, 1):
        write = meter.begin(ms(NOW - timedelta(seconds=age_s)))
        time.elapsed_s += 1
        meter.done(write)
    assert meter.take(1).lag_s == pytest.approx(7.0)


def test_of_several_batches_the_one_whose_newest_record_is_oldest_counts() -> None:
    def batch(*timestamps_ms: int) -> PartitionBatch:
        records = tuple(Record(None, b"", n, at_ms, (), 0) for n, at_ms in enumerate(timestamps_ms))
        return PartitionBatch("t", 0, records, len(records), 1)

    behind = further_behind(None, batch(10, 500))
    assert behind == 500
    assert further_behind(behind, batch(20, 900)) == 500
    assert further_behind(behind, batch(1, 400)) == 400


async def test_a_worker_says_what_it_did_and_which_share_of_the_events_it_holds() -> None:
    broker, meter = Broker(), Time().meter()
    meter.read(3)
    await running(reports(broker, meter))
    ((topic, partition, ((key, value),)),) = broker.written
    measure = Measure.model_validate_json(value or b"")
    assert (topic, partition, key) == ("tieline.measures", 0, measure.worker.encode())
    assert (measure.app, measure.events, measure.partitions) == ("sink", 3, 2)


async def test_a_worker_without_work_says_so_now_and_then_and_one_without_partitions_nothing() -> None:
    time = Time()
    quiet, held, none = Broker(), Broker(), Broker()
    meter = time.meter()
    time.elapsed_s += 59
    await running(reports(quiet, meter))
    time.elapsed_s += 1
    await running(reports(held, meter))
    time.elapsed_s += 60
    await running(reports(none, meter, topics.STATE))
    assert [len(broker.written) for broker in (quiet, held, none)] == [0, 1, 0]


@pytest.mark.parametrize("failure", [TransientError("away"), RuntimeError("?"), TimeoutError()], ids=repr)
async def test_a_measure_that_cannot_be_sent_is_forgotten_and_said_once(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    broker, meter = Broker(failure), Time().meter()
    report = reports(broker, meter)
    for _ in range(3):
        meter.read(1)
        await report.send(meter.take(1))
    assert len(caplog.records) == 1
    broker.failure = None
    meter.read(5)
    await report.send(meter.take(1))
    assert [b'"events":5' in (pairs[0][1] or b"") for _, _, pairs in broker.written] == [True]


async def test_who_cannot_send_tries_less_often() -> None:
    broker, meter = Broker(TransientError("away")), Time().meter()
    report = reports(broker, meter)
    meter.read(1)
    await running(report)
    broker.failure = None
    meter.read(1)
    await running(report)
    assert broker.written == []


async def test_a_broker_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Broker):
        async def produce(self, topic: str, partition: int, records: list[Pair], /) -> int | None:
            await asyncio.get_running_loop().create_future()
            return None

    monkeypatch.setattr("streams.apps.meter.SEND_TIMEOUT_S", 0.0)
    await reports(Silent(), Time().meter()).send(Time().meter().take(1))
