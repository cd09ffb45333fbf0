"""Late events: a work item that had left memory is computed again from the archive."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.policy import PolicyBook
from streams.apps.sink.store import Item, Store
from streams.apps.state import encode_state
from streams.inference.fold import WorkItemFold
from streams.row_json import row_json

_AT_ONCE = 200
"""Work items whose events are in memory together."""
_log = logging.getLogger(__name__)


async def repair(store: Store, items: Sequence[Item], policies: PolicyBook, as_of: datetime) -> None:
    """Write these items' rows again from all their archived events, with tombstones for what is gone.

    The late events themselves must have been archived and flushed before. Rows are not flushed here.
    """
    for start in range(0, len(items), _AT_ONCE):
        archived = await store.item_payloads(items[start : start + _AT_ONCE])
        for (process, work_item), payloads in archived.items():
            fold = WorkItemFold.recomputed(process, work_item, _events(payloads), as_of)
            for row in fold.changes(policies, as_of):
                await store.add(row.table, [row_json(row)])
            await store.add("work_items", [encode_state(fold, as_of, evicted=True)])


def _events(payloads: Iterable[bytes]) -> Iterator[Event]:
    """Without what can no longer be read: an archive may be older than its reader, or damaged."""
    for payload in payloads:
        try:
            yield decode(payload)
        except InvalidEvent as error:
            _log.error("an archived event cannot be read and is left out: %s", error)
