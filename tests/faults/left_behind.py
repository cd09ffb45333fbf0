"""A recorded earlier version's topics, offsets and tables, put where the new version will find them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict

from clickhouse_connect.driver.client import Client
from kafka import TopicPartition
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from schemas.errors import TransientError
from sinks.clickhouse.migrate import migrate, migrations
from streams.apps.topic_admin import admin, create_topics
from streams.transport.producer import BatchProducer, Pair
from tests.golden.upgrade.recording import Recorded, Recording

_COORDINATOR_WITHIN_S = 60.0


def put_topics(recording: Recording, broker: str) -> None:
    """Every record where it was, in order, and how far each group had come. Records are as new as now: the broker
    would soon delete older ones."""
    create_topics(broker)
    records = list(recording.records())
    asyncio.run(_produce(broker, records))
    before = Counter[tuple[str, str, int]]()
    for group, topic, partition, offset in recording.about["committed"]:
        held = (one.offset < offset for one in records if (one.topic, one.partition) == (topic, partition))
        before[group, topic, partition] = sum(held)
    by_group: dict[str, dict[TopicPartition, OffsetAndMetadata]] = defaultdict(dict)
    for (group, topic, partition), offset in before.items():
        by_group[group][TopicPartition(topic, partition)] = OffsetAndMetadata(offset, "", -1)
    for group, offsets in by_group.items():
        _commit(broker, group, offsets)


def _commit(broker: str, group: str, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
    """A new broker has no coordinator of groups yet: it is asked again until it has."""
    deadline_s = time.monotonic() + _COORDINATOR_WITHIN_S
    while True:
        try:
            with admin(broker) as client:
                answers = client.alter_group_offsets(group, offsets)
            if all(answer is NoError for answer in answers.values()):
                return
        except TransientError:
            answers = {}
        assert time.monotonic() < deadline_s, f"offsets of {group} not committed: {answers}"
        time.sleep(0.2)


async def _produce(broker: str, records: list[Recorded]) -> None:
    pairs: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for one in records:
        value = None if one.value is None else one.value.encode()
        pairs[one.topic, one.partition].append((one.key.encode(), value))
    async with BatchProducer(broker) as producer:
        for (topic, partition), held in pairs.items():
            await producer.produce(topic, partition, held)


def put_tables(recording: Recording, client: Client) -> None:
    """The store as that version had migrated and filled it. What materialized views write is recorded too, so they are
    away meanwhile."""
    applied = recording.about["migrations"]
    migrate(client, migrations()[: len(applied)])
    views = _names(client, "engine = 'MaterializedView'")
    for view in views:
        client.command(f"DETACH TABLE {view}")
    for table, rows in recording.tables().items():
        client.command(f"TRUNCATE TABLE {table}")
        client.raw_insert(table, insert_block=rows, fmt="JSONEachRow")
    for view in views:
        client.command(f"ATTACH TABLE {view}")


def _names(client: Client, where: str) -> list[str]:
    sql = f"SELECT name FROM system.tables WHERE database = currentDatabase() AND {where} ORDER BY name"
    return [str(name) for (name,) in client.query(sql).result_rows]
