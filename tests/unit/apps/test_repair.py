"""Work items are computed again from the archive, some at a time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import cast

import pytest

from schemas.policy import PolicyBook
from streams.apps.sink.repair import repair
from streams.apps.sink.store import Item, Store
from tests.builders import LONG_AFTER, event


class Archive:
    """Has one event of every item that is asked for."""

    def __init__(self, *also: bytes) -> None:
        self._also, self.asked, self.added = also, list[int](), Counter[str]()

    async def item_payloads(self, items: Sequence[Item]) -> dict[Item, list[bytes]]:
        self.asked.append(len(items))
        return {item: [*self._also, event("work_item.opened", 0, subject=item[1]).canonical()] for item in items}

    async def add(self, table: str, rows: Sequence[bytes]) -> None:
        self.added[table] += len(rows)


async def test_a_thousand_items_are_not_in_memory_at_once() -> None:
    archive = Archive()
    await repair(cast(Store, archive), [("p", f"w{number}") for number in range(1_000)], PolicyBook(()), LONG_AFTER)
    assert sum(archive.asked) == archive.added["work_items"] == 1_000
    assert max(archive.asked) <= 200


async def test_an_archived_event_that_cannot_be_read_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    archive = Archive(b'{"specversion": "1.0", "who": "Mallory"}')
    with caplog.at_level(logging.ERROR):
        await repair(cast(Store, archive), [("p", "w1")], PolicyBook(()), LONG_AFTER)
    assert archive.added["work_items"] == 1
    assert "cannot be read and is left out" in caplog.text
    assert "Mallory" not in caplog.text
