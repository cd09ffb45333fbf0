"""Filling a fresh broker from the archive: Tansu keeps nothing, so what was open before is brought back at start.

State records first, then every archived event that the state of its work item does not hold yet, then what earlier
feeds had spooled. All of it goes the way that live events go; folding is a union, so nothing counts twice. Of an
oversize work item no event is brought back, as there is no end to them: what stands of it is taken back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from clickhouse_connect.driver.client import Client

from deploy.composition.feed import Feed, Spool
from schemas import topics
from schemas.policy import PolicyBook
from schemas.topics import work_item_key
from sinks.clickhouse.queries.work_items import (
    Item,
    archived_states,
    item_payloads,
    item_sizes,
    items_ahead_of_state,
    standing_rows,
)
from streams.apps.infer.outbox import Outbox
from streams.apps.intake import partition_of
from streams.apps.sink.repair import oversize_fold, sorted_out
from streams.apps.state import encode_state
from streams.inference.facts import LIVE
from streams.inference.fold import WorkItemFold
from streams.transport.broker import AnyBroker
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
        states, oversize = await _states(client, producer)
        await _take_back(client, producer, oversize)
        events = await _events(client, producer)
        feed = Feed(producer)
        spooled = sum([await feed.send(spool.events()) for spool in spools])
    return Restored(states, events, spooled)


async def _states(client: Client, producer: BatchProducer) -> tuple[int, list[Item]]:
    """How many there are, and those that are oversize."""
    total, oversize = 0, list[Item]()
    rows = archived_states(client)
    while chunk := await asyncio.to_thread(lambda: list(islice(rows, _CHUNK))):
        by_partition: dict[int, list[Pair]] = defaultdict(list)
        for row in chunk:
            if row.oversize:
                oversize.append((row.process, row.work_item))
            key = work_item_key(row.process, row.work_item)
            by_partition[_partition((row.process, row.work_item))].append((key, row.model_dump_json().encode()))
        await asyncio.gather(*(producer.produce(topics.STATE, number, pairs) for number, pairs in by_partition.items()))
        total += len(chunk)
    return total, oversize


async def _take_back(client: Client, producer: BatchProducer, oversize: Sequence[Item]) -> list[WorkItemFold]:
    """Whatever the store still says of these items: the broker may have died with what took it back."""
    now, outbox, folds = datetime.now(UTC), Outbox(), list[WorkItemFold]()
    for item in oversize:
        fold = oversize_fold(item, await asyncio.to_thread(standing_rows, client, LIVE, item), now)
        outbox.add_rows(_partition(item), work_item_key(*item), fold.changes(PolicyBook(()), now))
        folds.append(fold)
    await outbox.send(producer)
    return folds


async def _events(client: Client, producer: BatchProducer) -> int:
    items, feed = await asyncio.to_thread(items_ahead_of_state, client), Feed(producer)
    total = 0
    for start in range(0, len(items), _CHUNK):
        sizes = await asyncio.to_thread(item_sizes, client, items[start : start + _CHUNK])
        oversize, others = sorted_out(sizes)
        for item, fold in zip(oversize, await _take_back(client, producer, oversize), strict=True):
            state = encode_state(fold, datetime.now(UTC))
            await producer.produce(topics.STATE, _partition(item), [(work_item_key(*item), state)])
        for some in others:
            payloads = await asyncio.to_thread(item_payloads, client, some)
            pairs: Iterable[Pair] = (
                (work_item_key(*item), content) for item, contents in payloads.items() for content in contents
            )
            total += await feed.send(pairs)
    return total


def _partition(item: Item) -> int:
    return partition_of(work_item_key(*item))
