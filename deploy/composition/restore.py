"""Filling a fresh broker from the archive: Tansu keeps nothing, so what was open before is brought back at start.

State records first, then every archived event that the state of its work item does not hold yet, then what earlier
feeds had spooled. All of it goes the way that live events go; folding is a union, so nothing counts twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from clickhouse_connect.driver.client import Client

from deploy.composition.feed import Feed, Spool
from schemas import topics
from schemas.topics import PARTITIONS, work_item_key
from sinks.clickhouse.queries.work_items import archived_states, item_payloads, items_ahead_of_state
from streams.transport.broker import AnyBroker
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer, Pair

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: work items with state, events beyond it, spooled events."""

    states: int
    events: int
    spooled: int


async def restore(client: Client, broker: AnyBroker, spools: Sequence[Spool]) -> Restored:
    """Bring everything back; returns once the broker has acknowledged it all. The spools stay.

    Raises: TransientError: broker or store is away.
    """
    async with BatchProducer(broker) as producer:
        states = await _states(client, producer)
        feed = Feed(producer)
        events = await _events(client, feed)
        spooled = sum([await feed.send(spool.events()) for spool in spools])
    return Restored(states, events, spooled)


async def _states(client: Client, producer: BatchProducer) -> int:
    total = 0
    rows = archived_states(client)
    while chunk := await asyncio.to_thread(lambda: list(islice(rows, _CHUNK))):
        by_partition: dict[int, list[Pair]] = defaultdict(list)
        for row in chunk:
            key = work_item_key(row.process, row.work_item)
            by_partition[partition_for(key, PARTITIONS)].append((key, row.model_dump_json().encode()))
        await asyncio.gather(*(producer.produce(topics.STATE, number, pairs) for number, pairs in by_partition.items()))
        total += len(chunk)
    return total


async def _events(client: Client, feed: Feed) -> int:
    items = await asyncio.to_thread(items_ahead_of_state, client)
    total = 0
    for start in range(0, len(items), _CHUNK):
        payloads = await asyncio.to_thread(item_payloads, client, items[start : start + _CHUNK])
        pairs: Iterable[Pair] = (
            (work_item_key(*item), content) for item, contents in payloads.items() for content in contents
        )
        total += await feed.send(pairs)
    return total
