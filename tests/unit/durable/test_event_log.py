"""Keeping: on Kafka, on disk while Kafka is away, in order, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas import topics
from schemas.dead_letter import DeadLetter, payload_hash
from schemas.errors import ConfigError, InvalidEvent, TransientError
from streams.gateway.durable import EventLog, EventLogSettings, LogState
from streams.gateway.durable.courier import Place
from tests.unit.durable.kafka_in_memory import KafkaInMemory

FAST = {
    "linger_s": 0.0,
    "produce_timeout_s": 0.05,
    "replay_timeout_s": 0.05,
    "retry_min_s": 0.001,
    "retry_max_s": 0.002,
    "release_every_s": 3600.0,
}


def event_log(folder: Path, kafka: KafkaInMemory, keep_until: Any = None, **settings: Any) -> EventLog:
    return EventLog(
        "in-memory:0",
        EventLogSettings(**{"folder": folder / "spool", **FAST, **settings}),
        courier=kafka,
        keep_until=keep_until,
        clock=lambda: 1000.0,
    )


def pairs(*values: str, key: str = "p/w") -> list[tuple[bytes, bytes]]:
    return [(key.encode(), value.encode()) for value in values]


async def until(log: EventLog, state: LogState) -> None:
    async with asyncio.timeout(5):
        while log.state is not state:  # noqa: ASYNC110 - what is awaited has no event of its own
            await asyncio.sleep(0.001)


async def replayed(log: EventLog) -> None:
    async with asyncio.timeout(5):
        while log.depth_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_what_is_kept_is_on_kafka(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        await log.keep(pairs("a", "b"))
        assert kafka.values == [b"a", b"b"]
        assert log.counters.kept_kafka == 2
    assert log.state is LogState.STOPPED


async def test_requests_that_wait_together_share_a_round(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        kafka.gate.clear()
        first = asyncio.create_task(log.keep(pairs("first")))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(log.keep(pairs(f"{number}", key=f"p/{number}"))) for number in range(200)]
        await asyncio.sleep(0)
        kafka.gate.set()
        await asyncio.gather(first, *others)
        assert len(kafka.rounds) == 2
        assert len(kafka.values) == 201


async def test_records_of_one_key_keep_their_order_while_kafka_comes_and_goes(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        for number in range(60):
            kafka.away = number % 20 in range(8, 14)
            await log.keep(pairs(str(number)))
            if number % 7 == 0:
                await asyncio.sleep(0.005)
        kafka.away = False
        await until(log, LogState.KAFKA)
    last = {value: place for place, value in enumerate(kafka.values)}
    assert sorted(last, key=last.__getitem__) == [b"%d" % number for number in range(60)]


async def test_kafka_away_means_spool_and_what_is_there_is_replayed_before_what_comes_later(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        kafka.away = True
        await log.keep(pairs("a"))
        await log.keep(pairs("b"))
        assert log.state is LogState.SPOOL
        assert log.depth_bytes > 0
        assert kafka.values == []
        kafka.away = False
        await log.keep(pairs("c"))
        await until(log, LogState.KAFKA)
        await log.keep(pairs("d"))
        assert kafka.values == [b"a", b"b", b"c", b"d"]
        assert (log.depth_bytes, log.spool_bytes, log.oldest_s) == (0, 0, 0.0)
        assert log.counters.kept_kafka + log.counters.kept_spool == 4
        assert log.counters.replayed == log.counters.kept_spool >= 2


async def test_a_broker_that_does_not_answer_in_time_is_away(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        kafka.gate.clear()
        await log.keep(pairs("a"))
        assert log.state is LogState.SPOOL
        kafka.gate.set()
        await until(log, LogState.KAFKA)
        assert kafka.values == [b"a"]


async def test_an_acknowledgement_that_is_lost_means_twice_and_never_not_at_all(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        kafka.loses_answers = True
        await log.keep(pairs("a"))
        kafka.loses_answers = False
        await until(log, LogState.KAFKA)
        assert set(kafka.values) == {b"a"}


async def test_it_starts_without_a_broker(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    kafka.away = True
    async with event_log(tmp_path, kafka) as log:
        await log.keep(pairs("a"))
        assert log.state is LogState.SPOOL


async def test_a_broker_that_does_not_let_us_in_is_said_once_and_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka = KafkaInMemory()
    kafka.refuses = True
    async with event_log(tmp_path, kafka) as log:
        await log.keep(pairs("a"))
        async with asyncio.timeout(5):
            while log.counters.broker_failures < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert [record.levelname for record in caplog.records if "no such user" in record.getMessage()] == ["ERROR"]
        kafka.refuses = False
        await until(log, LogState.KAFKA)
    assert kafka.values == [b"a"]


async def test_what_a_stopped_log_had_in_its_spool_is_on_kafka_before_anything_new(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    kafka.away = True
    async with event_log(tmp_path, kafka) as log:
        await log.keep(pairs("a", "b"))
    kafka.away = False
    async with event_log(tmp_path, kafka) as log:
        await log.keep(pairs("c"))
        await until(log, LogState.KAFKA)
    assert kafka.values == [b"a", b"b", b"c"]


async def test_switching_back_happens_under_load_that_never_ends(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    kafka.away = True
    async with event_log(tmp_path, kafka, round_bytes=400, hand_over_bytes=200) as log:
        stop, sent = asyncio.Event(), 0

        async def load(name: int) -> None:
            nonlocal sent
            while not stop.is_set():
                await log.keep(pairs("x" * 50, key=f"p/{name}"))
                sent += 1

        tasks = [asyncio.create_task(load(number)) for number in range(5)]
        await asyncio.sleep(0.05)
        kafka.away = False
        await until(log, LogState.KAFKA)
        stop.set()
        await asyncio.gather(*tasks)
    assert len(kafka.values) == sent


async def test_a_full_spool_refuses_and_loses_nothing_that_it_accepted(tmp_path: Path) -> None:
    kafka, accepted = KafkaInMemory(), []
    kafka.away = True
    async with event_log(tmp_path, kafka, max_bytes=2000, segment_bytes=500, retry_after_s=7.0) as log:
        for number in range(100):
            with suppress(TransientError):
                await log.keep(pairs(f"{number:050}"))
                accepted.append(b"%050d" % number)
        assert 0 < len(accepted) < 100
        with pytest.raises(TransientError) as refused:
            await log.keep(pairs("x" * 50))
        assert refused.value.retry_after_s == 7.0
        assert log.state is LogState.FULL
        assert log.counters.refused == 101 - len(accepted)
        kafka.away = False
        await until(log, LogState.KAFKA)
        await log.keep(pairs("again"))
    assert kafka.values == [*accepted, b"again"]


async def test_memory_for_what_waits_is_bounded(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka, pending_bytes=2000, produce_timeout_s=5.0) as log:
        await until(log, LogState.KAFKA)
        kafka.gate.clear()
        waiting = [asyncio.create_task(log.keep(pairs("x" * 500))) for _ in range(20)]
        await asyncio.sleep(0.01)
        refused = [task for task in waiting if task.done()]
        assert len(refused) == 17
        assert log.waiting_bytes <= 2000
        kafka.gate.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(result, TransientError) for result in results) == 17
    assert log.waiting_bytes == 0


async def test_a_caller_that_goes_away_does_not_harm_the_others(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        tasks = [asyncio.create_task(log.keep(pairs(str(number), key=f"p/{number}"))) for number in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [
            result for result in results if result is not None and not isinstance(result, asyncio.CancelledError)
        ] == []
        await log.keep(pairs("later"))
    assert {b"%d" % number for number in range(1, 30, 2)} | {b"later"} <= set(kafka.values)


async def test_a_record_that_is_too_large_is_invalid_and_nothing_of_its_request_is_written(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    async with event_log(tmp_path, kafka, record_bytes=1000) as log:
        with pytest.raises(InvalidEvent, match="too_large"):
            await log.keep(pairs("small", "x" * 1001))
        await log.keep(pairs("small", "y" * 990, "z" * 990))
        await until(log, LogState.KAFKA)
    assert len(kafka.values) == 3


async def test_a_record_that_only_kafka_finds_too_large_is_refused_alone(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    kafka.most_bytes = 10
    async with event_log(tmp_path, kafka) as log:
        await until(log, LogState.KAFKA)
        results = await asyncio.gather(
            log.keep(pairs("a")), log.keep(pairs("b", "x" * 11, "c")), log.keep(pairs("d")), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), InvalidEvent, type(None)]
        assert kafka.values == [b"a", b"b", b"c", b"d"]
        with pytest.raises(InvalidEvent):
            await log.keep(pairs("x" * 11))
        assert log.state is LogState.KAFKA


async def test_a_record_in_the_spool_that_kafka_never_takes_becomes_a_dead_letter_and_blocks_nothing(
    tmp_path: Path,
) -> None:
    kafka = KafkaInMemory()
    kafka.away = True
    async with event_log(tmp_path, kafka) as log:
        await log.keep(pairs("a", "b", "x" * 600))
        kafka.most_bytes = 500
        kafka.away = False
        await until(log, LogState.KAFKA)
        assert log.counters.dead_letters == 1
    by_topic = {
        topic: [v for (t, _), found in kafka.log.items() if t == topic for _, v in found] for topic, _ in kafka.log
    }
    assert by_topic[topics.EVENTS] == [b"a", b"b"]
    letter = DeadLetter.model_validate_json(by_topic[topics.DEAD_LETTERS][0])
    assert (letter.stage, letter.code, letter.topic) == ("gateway", "too_large", topics.EVENTS)
    assert letter.payload_sha256 == payload_hash(b"x" * 600)
    assert b"xxx" not in by_topic[topics.DEAD_LETTERS][0]


async def test_dead_letters_are_as_durable_as_events(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    letter = DeadLetter(
        id="1" * 32,
        stage="gateway",
        code="not_json",
        payload_sha256="0" * 64,
        payload_bytes=3,
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    kafka.away = True
    async with event_log(tmp_path, kafka) as log:
        await log.keep_dead_letters([letter])
    kafka.away = False
    async with event_log(tmp_path, kafka) as log:
        await log.keep_dead_letters([letter.model_copy(update={"id": "2" * 32})])
        await until(log, LogState.KAFKA)
    assert {topic for topic, _ in kafka.log} == {topics.DEAD_LETTERS}
    assert {json.loads(value)["id"] for value in kafka.values} == {"1" * 32, "2" * 32}


async def test_nothing_is_taken_before_start_and_after_stop(tmp_path: Path) -> None:
    log = event_log(tmp_path, KafkaInMemory())
    with pytest.raises(TransientError):
        await log.keep(pairs("a"))
    await log.start()
    await log.keep(pairs("a"))
    await log.stop()
    await log.stop()
    with pytest.raises(TransientError):
        await log.keep(pairs("a"))


async def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    kafka = KafkaInMemory()
    log = await event_log(tmp_path, kafka).start()
    await until(log, LogState.KAFKA)
    tasks = [asyncio.create_task(log.keep(pairs(str(number)))) for number in range(5)]
    await asyncio.sleep(0)
    await log.stop()
    await asyncio.gather(*tasks)
    assert len(kafka.values) == 5


async def test_a_folder_belongs_to_one_log(tmp_path: Path) -> None:
    async with event_log(tmp_path, KafkaInMemory()):
        with pytest.raises(ConfigError, match="in use"):
            await event_log(tmp_path, KafkaInMemory()).start()


async def test_an_empty_request_is_kept_at_once(tmp_path: Path) -> None:
    async with event_log(tmp_path, KafkaInMemory()) as log:
        await log.keep([])
        assert log.counters.rounds == 0


class Store:
    """What a store that archives has seen; says that it has everything once it is told to."""

    def __init__(self) -> None:
        self.asked: list[Mapping[Place, int]] = []
        self.has_it = asyncio.Event()

    async def keep_until(self, ends: Mapping[Place, int]) -> None:
        self.asked.append(dict(ends))
        await self.has_it.wait()


async def test_a_broker_that_keeps_nothing_gets_everything_by_way_of_the_spool(tmp_path: Path) -> None:
    kafka, store = KafkaInMemory(), Store()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        await log.keep(pairs("a"))
        await replayed(log)
        assert kafka.values == [b"a"]
        assert log.state is LogState.SPOOL
        assert log.spool_bytes > 0


async def test_what_the_store_does_not_have_is_produced_again_at_the_next_start(tmp_path: Path) -> None:
    kafka, store = KafkaInMemory(), Store()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        await log.keep(pairs("a", "b"))
        await replayed(log)
    kafka.forget()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        await replayed(log)
        assert kafka.values == [b"a", b"b"]


async def test_a_segment_goes_once_the_store_has_all_of_it_and_no_earlier(tmp_path: Path) -> None:
    kafka, store = KafkaInMemory(), Store()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        await log.keep(pairs("a"))
        releasing = asyncio.create_task(log.shipper.release(store.keep_until))
        async with asyncio.timeout(5):
            while not store.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        (place, _), *_ = kafka.log.items()
        assert store.asked == [{place: 1}]
        await log.keep(pairs("b"))
        assert log.spool_bytes > 0
        store.has_it.set()
        await releasing
        await replayed(log)
    kafka.forget()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        await replayed(log)
        assert kafka.values == [b"b"]
        await log.shipper.release(store.keep_until)
        assert log.spool_bytes == 0


async def test_a_broker_that_forgot_gets_everything_again_and_nothing_is_deleted_for_what_it_had(
    tmp_path: Path,
) -> None:
    kafka, store = KafkaInMemory(), Store()
    async with event_log(tmp_path, kafka, store.keep_until) as log:
        for value in "abc":
            await log.keep(pairs(value))
        await replayed(log)
        releasing = asyncio.create_task(log.shipper.release(store.keep_until))
        await asyncio.sleep(0.01)
        kafka.forget()
        await log.keep(pairs("d"))
        async with asyncio.timeout(5):
            while set(kafka.values) != {b"a", b"b", b"c", b"d"}:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        store.has_it.set()
        await releasing
        assert log.spool_bytes > 0


async def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    settings = EventLogSettings(folder=tmp_path)
    with pytest.raises(ConfigError):
        replace(settings, record_bytes=2 * 1024 * 1024)
    with pytest.raises(ConfigError):
        replace(settings, max_bytes=1000)
