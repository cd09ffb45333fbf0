"""Filling the archive from Kafka: everything that is there up to now, once; what is no event is a dead letter."""

from __future__ import annotations

from uuid import uuid4

from clickhouse_connect.driver.client import Client

from deploy.composition.archive_backfill import backfill
from deploy.composition.drain import barriers
from schemas import topics
from schemas.dead_letter import dead_letter_id
from schemas.events import Event
from schemas.topics import PARTITIONS, event_key
from streams.apps.topic_admin import create_topics
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer
from tests.brokers import Broker
from tests.builders import assigned, worked


def events_of(process: str, items: int) -> list[Event]:
    """Of a process of one's own: other tests use the broker too."""
    return [
        make(minutes, "nurse", process=process, subject=f"w{item}", id=f"{item}/{minutes}")
        for item in range(items)
        for minutes, make in ((1, assigned), (2, worked))
    ]


async def send(producer: BatchProducer, events: list[Event]) -> None:
    for event in events:
        key = event_key(event)
        await producer.produce(topics.EVENTS, partition_for(key, PARTITIONS), [(key, event.canonical())])


def archived(client: Client, process: str) -> list[bytes]:
    sql = "SELECT payload FROM events WHERE process = {process:String}"
    return sorted(row[0].encode() for row in client.query(sql, parameters={"process": process}).result_rows)


async def test_the_archive_holds_everything_that_was_on_kafka_once(client: Client, broker: Broker) -> None:
    create_topics(broker.address)
    process = f"backfill-{uuid4().hex[:8]}"
    events = events_of(process, 40)
    async with BatchProducer(broker.address) as producer:
        await send(producer, [*events[:30], *events])
        await barriers(producer, [topics.EVENTS])
        first = await backfill(client, broker.address)
        assert archived(client, process) == sorted(event.canonical() for event in events)
        assert first.added + first.known + sum(first.refused.values()) == first.records
        again = await backfill(client, broker.address)
        assert (again.added, again.records) == (0, first.records)
        later = events_of(process, 41)[-2:]
        await send(producer, later)
        assert (await backfill(client, broker.address)).added == 2
    assert archived(client, process) == sorted(event.canonical() for event in [*events, *later])
    where = "SELECT DISTINCT topic FROM events WHERE process = {process:String} AND partition >= 0 AND offset >= 0"
    assert client.query(where, parameters={"process": process}).result_rows == [(topics.EVENTS,)]


async def test_records_that_are_no_events_are_dead_letters_by_the_id_that_infer_gives_them(
    client: Client, broker: Broker
) -> None:
    create_topics(broker.address)
    process = f"backfill-{uuid4().hex[:8]}"
    (event, _) = events_of(process, 1)
    partition, junk = partition_for(event_key(event), PARTITIONS), f"Jane Doe {process}".encode()
    async with BatchProducer(broker.address) as producer:
        offset = await producer.produce(topics.EVENTS, partition, [(b"x", junk), (event_key(event), event.canonical())])
        found = await backfill(client, broker.address)
        await backfill(client, broker.address)
    assert offset is not None
    assert found.refused["not_json"] >= 1
    name = dead_letter_id("not_json", topics.EVENTS, partition, offset - 1, junk)
    sql = "SELECT stage, code, payload_bytes FROM dead_letters FINAL WHERE id = {id:String}"
    assert client.query(sql, parameters={"id": name}).result_rows == [("infer", "not_json", len(junk))]
    assert archived(client, process) == [event.canonical()]
