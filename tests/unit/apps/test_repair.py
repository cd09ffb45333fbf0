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
from streams.inference.history import MAX_EVENTS
from tests.builders import LONG_AFTER, T0, act, event

STANDING = ("handoffs", T0, "test#elsewhere", "", 0)


class Archive:
    """Has one event of every item that is asked for; one row of each item stands."""

    def __init__(self, *also: bytes, oversize: frozenset[Item] = frozenset()) -> None:
        self._also, self._oversize = also, oversize
        self.asked, self.added, self.rows = list[int](), Counter[str](), list[bytes]()

    async def oversize_items(self, items: Sequence[Item]) -> set[Item]:
        return self._oversize & set(items)

    async def standing_rows(self, _item: Item) -> list[tuple[str, datetime, str, str, int]]:
        return [STANDING]

    async def item_payloads(self, items: Sequence[Item]) -> dict[Item, list[bytes]]:
        self.asked.append(len(items))
        return {item: [*self._also, event("work_item.opened", 0, subject=item[1]).canonical()] for item in items}

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        self.added[table] += len(rows)
        self.rows += rows


async def test_a_thousand_items_are_not_in_memory_at_once() -> None:
    archive = Archive()
    await repair(cast(Store, archive), [("p", f"w{number}") for number in range(1_000)], PolicyBook(()), LONG_AFTER)
    assert sum(archive.asked) == archive.added["work_items"] == 1_000
    assert max(archive.asked) <= 200


async def test_what_stands_of_an_item_that_is_oversize_now_is_taken_back_whatever_event_it_is_of() -> None:
    """Of a million events only so many are read as show that it is oversize."""
    many = [act("clarified", number / 100, "ward", id=f"c{number}").canonical() for number in range(MAX_EVENTS)]
    archive = Archive(*many)
    await repair(cast(Store, archive), [("p", "w1")], PolicyBook(()), LONG_AFTER)
    taken_back, state = map(json.loads, archive.rows)
    assert (taken_back["episode_id"], taken_back["is_deleted"]) == ("test#elsewhere", 1)
    assert state["oversize"]
    assert taken_back["revision"] == state["revision"]


async def test_an_item_that_is_known_as_oversize_is_not_read_again() -> None:
    archive = Archive(oversize=frozenset({("p", "w1")}))
    await repair(cast(Store, archive), [("p", "w1"), ("p", "w2")], PolicyBook(()), LONG_AFTER)
    assert archive.asked == [1]
    assert archive.added == {"work_items": 1}


async def test_an_archived_event_that_cannot_be_read_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    archive = Archive(b'{"specversion": "1.0", "who": "Mallory"}')
    with caplog.at_level(logging.ERROR):
        await repair(cast(Store, archive), [("p", "w1")], PolicyBook(()), LONG_AFTER)
    assert archive.added["work_items"] == 1
    assert "cannot be read and is left out" in caplog.text
    assert "Mallory" not in caplog.text
