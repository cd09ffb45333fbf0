"""Late events: a work item that had left memory is computed again from the archive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.decoding import decode
from schemas.policy import PolicyBook
from schemas.rows import row_json
from streams.apps.sink.store import Item, Store
from streams.apps.state import encode_state
from streams.inference.fold import WorkItemFold


async def repair(store: Store, items: Sequence[Item], policies: PolicyBook, as_of: datetime) -> None:
    """Write these items' rows again from all their archived events, with tombstones for what is gone.

    The late events themselves must have been archived and flushed before. Rows are not flushed here.
    """
    archived = await store.item_payloads(items)
    for (process, work_item), payloads in archived.items():
        fold = WorkItemFold.recomputed(process, work_item, map(decode, payloads), as_of)
        for row in fold.changes(policies, as_of):
            await store.add(row.table, [row_json(row)])
        await store.add("work_items", [encode_state(fold, as_of, evicted=True)])
