"""Records that nobody should send: what has to become of each, and a flood of events of one work item."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from schemas import topics
from schemas.topics import PARTITIONS, work_item_key
from streams.apps.topic_admin import admin
from streams.transport.partitioner import partition_for
from streams.transport.producer import Pair
from tests.builders import person, raw_event
from tests.integration.pipeline.test_hostile_input import hostile

PROCESS = "p"
"""No policy names it; nothing else in these tests is of it."""
MEGABYTE = 1_000_000
ACTOR = json.dumps(person(1), separators=(",", ":"))
FLOOD_KEY = work_item_key(PROCESS, "flood")


def assignment(id: str, role: str, time: str, subject: str) -> dict[str, Any]:
    """A work item goes to a role at a time, as written."""
    raw = raw_event("work_item.assigned", 0, id=id, role=role, subject=subject, process=PROCESS)
    return raw | {"time": time}


def refused() -> list[tuple[str, bytes | None, bytes | None, int]]:
    """(expected code, key, value, partition shift) of records within the broker's limit that must be refused."""
    ahead = assignment("2100", "ward", "2100-01-01T00:00:00Z", "w1")
    wrong = [
        raw_event("work_item.assigned", 0, role=7),
        raw_event("work_item.assigned", 0, role=["ward"]),
        raw_event("work_item.assigned", 0, role="ward", process=["p"]),
        raw_event("work_item.assigned", 0, role="ward") | {"sequence": "1e400"},
        raw_event("work_item.assigned", 0, role="ward") | {"time": 0},
        raw_event("work_item.assigned", 0, role="ward") | {"subject": None},
    ]
    early = assignment("1969", "ward", "1969-12-31T23:59:59Z", "w1")
    return [
        *hostile(),
        ("future", b"p/w1", json.dumps(ahead).encode(), 0),
        ("invalid_value", b"p/w1", json.dumps(early).encode(), 0),
        *(("invalid_value", b"p/w1", json.dumps(one).encode(), 0) for one in wrong),
        ("not_json", b"p/w1", b'{"type": ' * 20_000, 0),
    ]


def large(megabytes: int) -> bytes:
    """Valid JSON of an event, but for what it is made of."""
    event = raw_event("work_item.assigned", 0, id="large", role="ward", subject="w1")
    event["data"]["note"] = "x" * (megabytes * MEGABYTE)
    return json.dumps(event).encode()


def strange_but_true() -> list[tuple[bytes, bytes]]:
    """Events of a process that no policy names, from the first second there is; one identity with two contents."""
    told = [
        assignment("first", "a", "1970-01-01T00:00:00Z", "old"),
        assignment("second", "b", "1970-01-01T00:00:01Z", "old"),
        *(assignment("same", role, "2026-01-05T08:00:00Z", "twice") for role in ("ward", "icu", "ward", "icu")),
        assignment("other", "lab", "2026-01-05T07:00:00Z", "twice"),
    ]
    return [(work_item_key(PROCESS, str(event["subject"])), json.dumps(event).encode()) for event in told]


def flood(events: int, heavy: bool = False) -> Iterator[Pair]:
    """So many different events of one work item: a handoff and what is said about it; heavy: each would begin one."""
    for number in range(events):
        seconds = number % 86_400
        time = f"2026-01-05T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"
        kind, roles = _assigned(number) if heavy else _clarified(number)
        yield (
            FLOOD_KEY,
            f'{{"data":{{"actor":{ACTOR},{roles}}},"id":"f{number}","process":"{PROCESS}","sequence":{number},'
            f'"source":"urn:test","specversion":"1.0","subject":"flood","time":"{time}","type":"{kind}"}}'.encode(),
        )


def _assigned(number: int) -> tuple[str, str]:
    return "tieline.work_item.assigned.v1", f'"role":"{"ab"[number % 2]}"'


def _clarified(number: int) -> tuple[str, str]:
    if number == 0:
        return "tieline.handoff.offered.v1", '"from_role":"a","handoff_id":"h1","to_role":"b"'
    return "tieline.handoff.clarified.v1", '"handoff_id":"h1","role":"b"'


def expected_codes(large_records: int, flooded: int) -> Counter[str]:
    """Dead letters by code; `flooded` events of the flood had no room, and two contents of one identity met once."""
    codes = Counter(code for code, _, _, _ in refused())
    codes["too_large"] += large_records
    codes["oversize"] += flooded
    codes["conflict"] += 1
    return codes


def let_in(broker: str, most_bytes: int) -> None:
    """Raise what the broker takes as one record of `tieline.events`."""
    with admin(broker) as client:
        client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topics.EVENTS, {"max.message.bytes": most_bytes})]
        )


def produce_raw(broker: str, records: list[tuple[bytes | None, bytes | None, int]]) -> None:
    """(key, value, partition shift) as they are, however large. Raises: what the broker says."""

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", max_request_size=100 * MEGABYTE)
        await producer.start()
        try:
            for key, value, shift in records:
                number = (partition_for(key or b"p/w1", PARTITIONS) + shift) % PARTITIONS
                await producer.send_and_wait(topics.EVENTS, value, key, partition=number)
        finally:
            await producer.stop()

    asyncio.run(send())
