"""`python -m tests.golden.upgrade FOLDER` records the version in whose tree it is run. See README.md beside it."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from deploy.composition.drain import INFER_GROUP, SINK_GROUP, committed
from schemas import topics
from schemas.errors import TransientError
from schemas.events import Event
from schemas.topics import PARTITIONS, TOPICS, event_key
from streams.gateway.actors import ActorKey
from streams.simulation.scenario import Scenario
from streams.transport.barrier import BARRIER_KEY, read_to_barrier
from streams.transport.producer import BatchProducer
from tests import brokers
from tests.golden.upgrade.recording import Recorded, Recording
from tests.integration.pipeline.running import AS_OF, ROOT, Running

ONE_ITEM_IN = 4
_ATTEMPTS = 10
BOTH, INFER_ONLY, UNREAD = 0.4, 0.7, 0.8
"""Of the events: both apps have handled the first share, infer alone more, nobody what follows; the rest is to come."""


def main(folder: Path) -> None:
    events, recording = _events(), Recording(folder)
    both, inferred, unread = (int(len(events) * share) for share in (BOTH, INFER_ONLY, UNREAD))
    policy = ROOT / "deploy" / "policies" / "demo.yaml"
    with TemporaryDirectory() as name, brokers.kafka(Path(name) / "kafka") as broker:
        tieline = Running(broker, Path(name) / "data", policy)
        try:
            tieline.start()
            _send_patiently(tieline, events[:both])
            tieline.drain()
            assert tieline.stop("sink") == 0
            tieline.send(events[both:inferred])
            asyncio.run(_until_inferred(broker.address))
            assert tieline.stop("infer") == 0
            tieline.send(events[inferred:unread])
            _record(recording, tieline, events[unread:])
        finally:
            tieline.close()
    recording.policy.write_text(policy.read_text())


def _send_patiently(tieline: Running, events: list[Event]) -> None:
    """The first events: a busy broker says for a while that the new topics have no leader yet. Some may come twice."""
    for _ in range(_ATTEMPTS):
        try:
            return tieline.send(events)
        except TransientError as error:
            print(f"once more: {error}")
    raise TransientError("the broker did not take the events")


def _events() -> list[Event]:
    """One work item in four of a simulated week, all under way at once: the first half of the list has the first half
    of each, so that all are open wherever it is cut."""
    key = ActorKey("test", bytes(range(32)))
    items: dict[bytes, list[Event]] = {}
    for event in Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), key.hash_actor, weeks=1).history():
        if crc32(event_key(event)) % ONE_ITEM_IN == 0:
            items.setdefault(event_key(event), []).append(event)
    placed = [(at / len(events), event) for events in items.values() for at, event in enumerate(events)]
    return [event for _, event in sorted(placed, key=lambda one: one[0])]


async def _until_inferred(broker: str) -> None:
    """Until infer has committed all events: a barrier beyond them is enough."""
    async with BatchProducer(broker) as producer:
        ends = {}
        for number in range(PARTITIONS):
            ends[number] = await producer.produce(topics.EVENTS, number, [(BARRIER_KEY, b"recorded")])
        while True:
            reached = await asyncio.to_thread(committed, broker, INFER_GROUP)
            if all(reached.get((topics.EVENTS, number), 0) > (end or 0) for number, end in ends.items()):
                return
            await asyncio.sleep(0.2)


def _record(recording: Recording, tieline: Running, to_come: list[Event]) -> None:
    client = tieline.client()
    migrations = client.query("SELECT DISTINCT number, name, checksum FROM migrations ORDER BY number").result_rows
    offsets = [
        [group, topic, partition, offset]
        for group in (INFER_GROUP, SINK_GROUP)
        for (topic, partition), offset in sorted(committed(tieline.broker.address, group).items())
    ]
    recording.write_about(as_of=AS_OF, migrations=[list(row) for row in migrations], committed=offsets)
    tables = client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree%'"
        " AND name != 'migrations' ORDER BY name"
    ).result_rows
    for (table,) in tables:
        rows = client.raw_query(f"SELECT * FROM {table} FORMAT JSONEachRow")
        if rows:
            recording.write_table(table, rows)
    client.close()
    recording.write_records(asyncio.run(_records(tieline.broker.address)))
    recording.write_to_come(event.canonical() for event in to_come)


async def _records(broker: str) -> list[Recorded]:
    found = list[Recorded]()
    async with BatchProducer(broker) as producer:
        for topic in TOPICS:
            async for record in read_to_barrier(topic.name, range(topic.partitions), broker=broker, producer=producer):
                value = None if record.value is None else record.value.decode()
                found.append(Recorded(topic.name, record.partition, record.offset, (record.key or b"").decode(), value))
    return sorted(found, key=lambda one: one[:3])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
