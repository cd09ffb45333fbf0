"""What is accepted while the broker is away: on disk, and then on the log, in order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.broker import KafkaBroker
from schemas import topics
from schemas.dead_letter import DeadLetter
from schemas.errors import InvalidEvent, TransientError
from streams.apps.topic_admin import admin, create_topics
from streams.gateway.durable import EventLog, EventLogSettings, LogState
from streams.gateway.durable.courier import KafkaCourier
from tests import brokers
from tests.brokers import Broker
from tests.integration.gateway.on_the_log import records

KEYS = 40


def event_log(broker: str, folder: Path, **settings: Any) -> EventLog:
    return EventLog(broker, EventLogSettings(folder=folder / "spool", **settings))


def batch(number: int) -> list[tuple[bytes, bytes]]:
    """One record of every work item."""
    return [(b"p/%d" % key, b"%d" % number) for key in range(KEYS)]


async def until(log: EventLog, state: LogState) -> None:
    async with asyncio.timeout(30):
        while log.state is not state:  # noqa: ASYNC110 - what is awaited has no event of its own
            await asyncio.sleep(0.02)


def assert_all_there_and_last_copies_in_order(broker: str, numbers: int) -> None:
    last: dict[bytes, dict[int, int]] = {}
    for place, record in enumerate(records(broker)):
        last.setdefault(record.key or b"", {})[int(record.value or b"")] = place
    assert len(last) == KEYS
    for places in last.values():
        assert sorted(places, key=places.__getitem__) == list(range(numbers))


@pytest.mark.slow
@pytest.mark.kafka
async def test_events_taken_while_the_broker_was_dead_are_on_the_log_in_order(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    async with event_log(own_kafka.address, tmp_path) as log:
        await until(log, LogState.KAFKA)
        for number in range(10):
            await log.keep(batch(number))
        os.kill(own_kafka.pid or 0, signal.SIGKILL)
        for number in range(10, 200):
            await log.keep(batch(number))
        assert log.state is LogState.SPOOL
        await asyncio.to_thread(own_kafka.start)
        for number in range(200, 300):
            await log.keep(batch(number))
        await until(log, LogState.KAFKA)
        await log.keep(batch(300))
        assert log.spool_bytes == 0
    await asyncio.to_thread(assert_all_there_and_last_copies_in_order, own_kafka.address, 301)


@pytest.mark.slow
@pytest.mark.kafka
async def test_a_broker_that_hangs_holds_a_request_up_for_a_bounded_time(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    async with event_log(own_kafka.address, tmp_path) as log:
        await until(log, LogState.KAFKA)
        await log.keep(batch(0))
        os.kill(own_kafka.pid or 0, signal.SIGSTOP)
        try:
            took_s = []
            for number in range(1, 50):
                began_s = time.monotonic()
                await log.keep(batch(number))
                took_s.append(time.monotonic() - began_s)
        finally:
            os.kill(own_kafka.pid or 0, signal.SIGCONT)
        assert took_s[0] < 4.0
        assert max(took_s[1:]) < 2.0
        await until(log, LogState.KAFKA)
        await log.keep(batch(50))
    await asyncio.to_thread(assert_all_there_and_last_copies_in_order, own_kafka.address, 51)


@pytest.mark.slow
@pytest.mark.kafka
async def test_a_full_disk_means_try_later_and_loses_nothing_that_was_taken(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    taken = []
    async with event_log(own_kafka.address, tmp_path, max_bytes=40_000, segment_bytes=10_000) as log:
        await until(log, LogState.KAFKA)
        os.kill(own_kafka.pid or 0, signal.SIGKILL)
        for number in range(200):
            try:
                await log.keep(batch(number))
                taken.append(number)
            except TransientError as error:
                assert error.retry_after_s > 0  # noqa: PT017 - most are taken
        assert 0 < len(taken) < 200
        assert sum(path.stat().st_size for path in (tmp_path / "spool").glob("*.seg")) <= 40_000
        await asyncio.to_thread(own_kafka.start)
        await until(log, LogState.KAFKA)
        await log.keep(batch(1000))
    found = {int(record.value or b"") for record in await asyncio.to_thread(records, own_kafka.address)}
    assert found >= {*taken, 1000}


@pytest.mark.slow
@pytest.mark.kafka
async def test_a_record_that_the_topic_does_not_take_stops_nothing(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    await asyncio.to_thread(shrink, own_kafka.address, 5000)
    many = [(b"p/%d" % (number % 3), b"x" * 300) for number in range(200)]  # a chunk is larger, no record is
    async with event_log(own_kafka.address, tmp_path) as log:
        await log.keep([(b"p/0", b"y" * 9000)])  # spooled: the log is not connected yet
        await until(log, LogState.KAFKA)
        with pytest.raises(InvalidEvent, match="too_large"):
            await log.keep([(b"p/0", b"a"), (b"p/0", b"z" * 9000), (b"p/1", b"b")])
        await log.keep(many)
        await log.keep([(b"p/0", b"c")])
        assert log.counters.dead_letters == 1
    on_log = [record.value or b"" for record in await asyncio.to_thread(records, own_kafka.address)]
    assert {b"a", b"b", b"c"} <= set(on_log)
    assert on_log.count(b"x" * 300) >= 200
    letters = await asyncio.to_thread(records, own_kafka.address, topics.DEAD_LETTERS)
    assert [DeadLetter.model_validate_json(letter.value or b"").code for letter in letters] == ["too_large"]


def shrink(broker: str, most_bytes: int) -> None:
    """Let `tieline.events` take no larger batch than this."""
    topic = (ConfigResourceType.TOPIC, topics.EVENTS)
    with admin(broker) as client:
        client.alter_configs([ConfigResource(*topic, {"max.message.bytes": str(most_bytes)})])
        while f"'value': '{most_bytes}'" not in str(client.describe_configs([ConfigResource(*topic)])):
            time.sleep(0.05)


async def test_a_broker_without_producer_ids_is_used_without_them(tansu_broker: Broker) -> None:
    await asyncio.to_thread(create_topics, tansu_broker.address)
    courier = KafkaCourier(tansu_broker.address, idempotent=True)
    await courier.connect(10.0)
    assert not courier.idempotent
    written = await courier.write({(topics.EVENTS, 3): [(b"k", b"v")]}, 10.0)
    await courier.close()
    assert not written.failed


@pytest.mark.kafka
async def test_kafka_drops_what_the_client_sends_twice(own_kafka: KafkaBroker) -> None:
    courier = KafkaCourier(own_kafka.address, idempotent=True)
    await courier.connect(10.0)
    assert courier.idempotent
    written = await courier.write({(topics.EVENTS, 3): [(b"k", b"v")]}, 10.0)
    await courier.close()
    assert written.ends == {(topics.EVENTS, 3): 1}


async def test_topics_of_another_shape_are_no_place_for_events(tmp_path: Path) -> None:
    """A broker that makes topics by itself makes them with another number of partitions."""
    with brokers.tansu(tmp_path) as tansu:
        courier = KafkaCourier(tansu.address, idempotent=False)
        with pytest.raises(TransientError, match="partitions and needs 24"):
            await courier.connect(10.0)
        await courier.close()
