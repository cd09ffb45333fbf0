"""Late events: a work item that had left memory is computed again from the archive."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.policy import PolicyBook
from streams.apps.sink.store import Item, StandingKey, Store
from streams.apps.state import encode_state
from streams.inference.facts import RowKey
from streams.inference.fold import WorkItemFold
from streams.inference.history import MAX_BYTES, too_large
from streams.row_json import row_json

_ASKED_AT_ONCE = 200
_BYTES_AT_ONCE = 2 * MAX_BYTES
"""Of events in memory together, in as many work items as that is."""
_log = logging.getLogger(__name__)


async def repair(store: Store, items: Sequence[Item], policies: PolicyBook, as_of: datetime) -> None:
    """Write these items' rows again from all their archived events, with tombstones for what is gone.

    Nothing is read of an item that is oversize, as there is no end to the events that it may have: whatever stands of
    it is taken back.

    The late events themselves, and what was said of these items before, must have been written before. Rows are not
    flushed here.
    """
    for start in range(0, len(items), _ASKED_AT_ONCE):
        sizes = await store.item_sizes(items[start : start + _ASKED_AT_ONCE])
        oversize, others = sorted_out(sizes)
        for item in oversize:
            await _say(store, oversize_fold(item, await store.standing_rows(item), as_of), policies, as_of)
        for some in others:
            archived = await store.item_payloads(some)
            for item, payloads in archived.items():
                fold = WorkItemFold.recomputed(*item, _events(payloads), as_of)
                await _say(store, fold, policies, as_of)


async def _say(store: Store, fold: WorkItemFold, policies: PolicyBook, as_of: datetime) -> None:
    for row in fold.changes(policies, as_of):
        await store.add(row.table, [row_json(row)])
    await store.add("work_items", [encode_state(fold, as_of, evicted=True)])


def oversize_fold(item: Item, standing: Iterable[StandingKey], as_of: datetime) -> WorkItemFold:
    """The fold of an oversize work item, whose changes are that what stands of it is taken back."""
    fold = WorkItemFold.recomputed(*item, (), as_of)
    fold.history.oversize = True
    fold.may_stand(RowKey(*key) for key in standing)
    return fold


def sorted_out(sizes: Mapping[Item, tuple[int, int]]) -> tuple[list[Item], Iterator[list[Item]]]:
    """(Items that are oversize, all others: as many at a time as may be in memory)."""
    fitting = {item: size for item, (counted, size) in sizes.items() if not too_large(counted, size)}
    return [item for item in sizes if item not in fitting], _together(fitting)


def _together(sizes: Mapping[Item, int]) -> Iterator[list[Item]]:
    some, held = list[Item](), 0
    for item, size in sizes.items():
        if some and held + size > _BYTES_AT_ONCE:
            yield some
            some, held = [], 0
        some.append(item)
        held += size
    if some:
        yield some


def _events(payloads: Iterable[bytes]) -> Iterator[Event]:
    """Without what can no longer be read: an archive may be older than its reader, or damaged."""
    for payload in payloads:
        try:
            yield decode(payload)
        except InvalidEvent as error:
            _log.error("an archived event cannot be read and is left out: %s", error)
