"""Fault 6: what nobody should send becomes a dead letter or a tombstone, at a bounded cost; everything else goes on."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil
import pytest
from aiokafka.errors import MessageSizeTooLargeError
from clickhouse_connect.driver.client import Client

from deploy.composition.drain import drained
from deploy.composition.feed import Feed
from schemas.events import Event
from sinks.clickhouse.content_hash import content_hash, run_contents
from streams.inference.history import MAX_EVENTS
from streams.transport.producer import BatchProducer, Pair
from tests.brokers import Broker
from tests.faults.load import Load
from tests.faults.poison import (
    MEGABYTE,
    PROCESS,
    expected_codes,
    flood,
    large,
    let_in,
    produce_raw,
    refused,
    strange_but_true,
)
from tests.faults.rig import Rig, rig
from tests.integration.pipeline.running import Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.long]
FLOOD = int(os.environ.get("TIELINE_FAULT_FLOOD") or 12_000)
"""Events of one work item; `make faults`: a million, after twice what an item may have, to see what each more costs.

By then the item has left memory, and every event of the flood comes late.
"""
FLOODS = (FLOOD,) if FLOOD < 10 * MAX_EVENTS else (2 * MAX_EVENTS, FLOOD)
LARGE = 3
STALL_S = 300.0
MOST_GROWTH_BYTES = (350 * MEGABYTE, 250 * MEGABYTE)
"""While an item has room, and once it is oversize: 10,000 events that each begin a handoff are 60,000 rows at once;
what comes faster than the store writes is in the sink's buffer of 128 MiB and its lanes."""
MOST_CPU_S_PER_FLOODED = 0.001


class Watched:
    """What a process takes while a block runs: `cpu_s` in all, and the most `resident` bytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.before = self.resident = self._process.memory_info().rss
        self.cpu_s = 0.0

    def __enter__(self) -> Watched:
        self._began_s = self._cpu_s()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()
        self.cpu_s = self._cpu_s() - self._began_s

    @property
    def growth(self) -> int:
        """Bytes above what it had before."""
        return self.resident - self.before

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return used.user + used.system

    def _look(self) -> None:
        while not self._done.wait(0.1):
            self.resident = max(self.resident, self._process.memory_info().rss)


def send(broker: str, pairs: Iterable[Pair]) -> None:
    async def produce() -> None:
        async with BatchProducer(broker) as producer:
            await Feed(producer).send(pairs)

    asyncio.run(produce())


def drain(broker: str) -> None:
    """Until the store has everything, however long that takes: a flood is work for a while."""

    async def wait() -> None:
        async with BatchProducer(broker) as producer:
            await drained(broker, producer, stall_s=STALL_S)

    asyncio.run(wait())


def hash_but_for(client: Client, process: str) -> Hash:
    """The content hash of everything that is not of this process: sums of rows and of their 128-bit hashes."""
    part = run_contents(client, "live", process)
    whole = {table: content for table, content in content_hash(client, "live").items() if table in part}
    return {
        table: (rows - part[table].rows, f"{(int(digest, 16) - int(part[table].hash, 16)) % 2**128:032X}")
        for table, (rows, digest) in whole.items()
    }


@pytest.mark.timeout(1800)
def test_poison_is_refused_and_counted_and_everything_else_goes_on(
    fresh_kafka: Broker, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    broker = fresh_kafka.address
    with rig(fresh_kafka, tmp_path / "data") as tieline:
        pids = {app: tieline.pid(app) for app in ("infer", "sink")}
        with Load(broker, week, per_s=100.0) as load:
            load.wait_until_sent(1)
            produce_raw(broker, [(key, value, shift) for _, key, value, shift in refused()])
            send(broker, strange_but_true())
            assert_too_large_for_the_broker(broker)
            let_in(broker, 16 * MEGABYTE)
            produce_raw(broker, [(b"p/w1", large(10), 0)] * LARGE)
            limits = zip(FLOODS, MOST_GROWTH_BYTES, strict=False)
            told = [flood_and_drain(tieline, load, events, growth) for events, growth in limits]
        drain(broker)
        assert {app: tieline.pid(app) for app in pids if tieline.ended(app) is None} == pids, "neither began anew"
        client = tieline.client()
        letters = dict(client.query("SELECT code, count() FROM dead_letters FINAL GROUP BY code").result_rows)
        assert_counted(tieline, letters)
        assert hash_but_for(client, PROCESS) == {
            table: undisturbed[table] for table in undisturbed if table != "events"
        }
        client.close()
        assert_what_was_strange_is_true(tieline)
    print("\n".join(told))


def assert_too_large_for_the_broker(broker: str) -> None:
    """Beyond the broker's limit nothing gets in: the sender is told."""
    with pytest.raises(MessageSizeTooLargeError):
        produce_raw(broker, [(b"p/w1", large(10), 0)])


def flood_and_drain(tieline: Rig, load: Load, events: int, most_growth: int) -> str:
    """Send a flood, until everything has come of it that will; what it cost."""
    began_s, sent = time.monotonic(), load.sent + load.repeated
    with Watched(tieline.pid("infer")) as infer, Watched(tieline.pid("sink")) as sink:
        send(tieline.broker.address, flood(events, heavy=len(FLOODS) > 1))
        drain(tieline.broker.address)
    took_s, others = time.monotonic() - began_s, load.sent + load.repeated - sent
    assert max(infer.growth, sink.growth) < most_growth
    assert infer.cpu_s < MOST_CPU_S_PER_FLOODED * (events + others)
    return (
        f"{events} events of one work item, {others} of others: {took_s:.1f} s; "
        f"infer {infer.cpu_s:.1f} CPU-s, resident {infer.before >> 20} to {infer.resident >> 20} MiB; "
        f"sink {sink.cpu_s:.1f} CPU-s, resident {sink.before >> 20} to {sink.resident >> 20} MiB"
    )


def assert_counted(tieline: Rig, letters: Mapping[str, int]) -> None:
    """Each refused record is one dead letter; the reasons are in infer's metrics and its log.

    What an oversize item had room for at first may be refused, too, where infer lost its partitions and read it again.
    What comes when it has left memory is late.
    """
    metrics = tieline.metrics("infer")
    expected = expected_codes(LARGE, flooded=sum(FLOODS) - MAX_EVENTS)
    flooded = letters["oversize"]
    assert letters == expected | {"oversize": flooded}
    assert FLOODS[0] - MAX_EVENTS <= flooded <= sum(FLOODS)
    assert flooded + metrics["tieline_infer_late_total"] >= expected["oversize"], "nothing went without a word"
    for code, count in letters.items():
        assert metrics[f'tieline_infer_refused_total{{reason="{code}"}}'] >= count
        assert tieline.said("infer", f"refused as {code}")


def assert_what_was_strange_is_true(tieline: Rig) -> None:
    """A process that no policy names is listed and not judged; the smaller content of one identity stands."""
    handoffs = tieline.rows(
        f"SELECT work_item, from_role, to_role, accept_due_at FROM handoffs FINAL WHERE process = '{PROCESS}'"
    )
    assert sorted(handoffs) == [("old", "a", "b", None), ("twice", "lab", "icu", None)]
    assert tieline.rows(f"SELECT count() FROM evidence FINAL WHERE process = '{PROCESS}'") == [(0,)]
    assert tieline.rows("SELECT work_item FROM work_items FINAL WHERE oversize") == [("flood",)]
