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
from streams.inference.facts import RowKey
from streams.inference.fold import WorkItemFold
from streams.row_json import row_json

_AT_ONCE = 200
"""Work items whose events are in memory together."""
_log = logging.getLogger(__name__)


async def repair(store: Store, items: Sequence[Item], policies: PolicyBook, as_of: datetime) -> None:
    """Write these items' rows again from all their archived events, with tombstones for what is gone.

    An item that was oversize stays so, and costs no more than asking: there is no end to the events it may have.

    The late events themselves, and what was said of these items before, must have been written before. Rows are not
    flushed here.
    """
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        oversize = await store.oversize_items(some)
        archived = await store.item_payloads([item for item in some if item not in oversize])
        for (process, work_item), payloads in archived.items():
            fold = WorkItemFold.recomputed(process, work_item, _events(payloads), as_of)
            if fold.history.oversize:  # what was said may be of events that were not read
                keys = await store.standing_rows((process, work_item))
                fold.may_stand(RowKey(*key) for key in keys)
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
