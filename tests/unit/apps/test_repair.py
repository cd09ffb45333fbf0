"""Work items are computed again from the archive, some at a time."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import pytest

from schemas.policy import PolicyBook
from streams.apps.sink.repair import repair
from streams.apps.sink.store import Item, Store
from streams.inference.history import MAX_BYTES, MAX_EVENTS
from tests.builders import LONG_AFTER, T0, event

STANDING = ("handoffs", T0, "test#elsewhere", "", 0)


class Archive:
    """Has one event of every item that is asked for, which counts as `size`; one row of each item stands."""

    def __init__(self, *also: bytes, size: tuple[int, int] = (1, 300)) -> None:
        self._also, self._size = also, size
        self.asked, self.added, self.rows = list[int](), Counter[str](), list[bytes]()

    async def item_sizes(self, items: Sequence[Item]) -> dict[Item, tuple[int, int]]:
        return dict.fromkeys(items, self._size)

    async def item_payloads(self, items: Sequence[Item]) -> dict[Item, list[bytes]]:
        self.asked.append(len(items))
        return {item: [*self._also, event("work_item.opened", 0, subject=item[1]).canonical()] for item in items}

    async def standing_rows(self, _item: Item) -> list[tuple[str, datetime, str, str, int]]:
        return [STANDING]

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        self.added[table] += len(rows)
        self.rows += rows


def items(number: int) -> list[Item]:
    return [("p", f"w{each}") for each in range(number)]


async def test_a_thousand_items_are_not_in_memory_at_once() -> None:
    archive = Archive()
    await repair(cast(Store, archive), items(1_000), PolicyBook(()), LONG_AFTER)
    assert sum(archive.asked) == archive.added["work_items"] == 1_000
    assert max(archive.asked) <= 200


async def test_large_items_are_in_memory_a_few_at_a_time() -> None:
    archive = Archive(size=(9_000, 5_000_000))
    await repair(cast(Store, archive), items(10), PolicyBook(()), LONG_AFTER)
    assert archive.asked == [3, 3, 3, 1]
    assert archive.added["work_items"] == 10


@pytest.mark.parametrize("size", [(MAX_EVENTS + 1, 1), (1, MAX_BYTES + 1)])
async def test_of_an_oversize_item_nothing_is_read_and_whatever_stands_is_taken_back(size: tuple[int, int]) -> None:
    archive = Archive(size=size)
    await repair(cast(Store, archive), items(1), PolicyBook(()), LONG_AFTER)
    taken_back, state = map(json.loads, archive.rows)
    assert (taken_back["episode_id"], taken_back["is_deleted"]) == ("test#elsewhere", 1)
    assert state["oversize"]
    assert taken_back["revision"] == state["revision"]
    assert archive.asked == []


async def test_an_archived_event_that_cannot_be_read_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    archive = Archive(b'{"specversion": "1.0", "who": "Mallory"}')
    with caplog.at_level(logging.ERROR):
        await repair(cast(Store, archive), [("p", "w1")], PolicyBook(()), LONG_AFTER)
    assert archive.added["work_items"] == 1
    assert "cannot be read and is left out" in caplog.text
    assert "Mallory" not in caplog.text
