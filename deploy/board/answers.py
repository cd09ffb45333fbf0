"""Answers shared by all open pages: each distinct statement is asked once, however many look."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from deploy.board.store import Answer, Refused
from schemas.errors import TransientError

_MOST_KEPT = 400
_SOONEST_AGAIN_S = 1.0


class Asks(Protocol):
    """Whoever answers a statement: `deploy.board.store.Store`."""

    async def ask(self, sql: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    at_s: float
    outcome: Answer | TransientError | Refused


class Answers:
    """Asks at most `at_once` statements together, and never the same one twice at a time."""

    def __init__(self, store: Asks, at_once: int = 3) -> None:
        self._store = store
        self._turns = asyncio.Semaphore(at_once)
        self._asking: dict[str, asyncio.Task[_Kept]] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def answer(self, sql: str, no_older_than_s: float) -> Answer:
        """What the store said to the statement, not longer ago than that.

        Raises: TransientError, Busy, Refused: as `Store.ask`; that is remembered for a second too.
        """
        kept = self._kept.get(sql)
        allowed_s = no_older_than_s if kept is None or isinstance(kept.outcome, Answer) else _SOONEST_AGAIN_S
        if kept is None or self._now_s() - kept.at_s > allowed_s:
            # Shielded: a page that is closed does not take the answer away from the others who wait for it.
            kept = await asyncio.shield(self._asked(sql))
        if isinstance(kept.outcome, Answer):
            return kept.outcome
        raise kept.outcome.with_traceback(None)

    def kept(self, sql: str) -> bool:
        return sql in self._kept

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def _asked(self, sql: str) -> asyncio.Task[_Kept]:
        if sql not in self._asking:
            task = asyncio.create_task(self._ask(sql))
            self._asking[sql] = task
            task.add_done_callback(lambda _: self._asking.pop(sql, None))
        return self._asking[sql]

    async def _ask(self, sql: str) -> _Kept:
        outcome: Answer | TransientError | Refused
        async with self._turns:
            at_s = self._now_s()
            try:
                outcome = await self._store.ask(sql)
            except (TransientError, Refused) as error:
                outcome, at_s = error.with_traceback(None), self._now_s()
        kept = self._kept[sql] = _Kept(at_s, outcome)
        self._kept.move_to_end(sql)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
