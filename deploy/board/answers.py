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


@dataclass(slots=True)
class _Asking:
    """A statement on its way. `waiting`: how many pages want the answer."""

    task: asyncio.Task[_Kept]
    waiting: int = 0
    started: bool = False


class Answers:
    """Asks at most `at_once` statements together, and never the same one twice at a time."""

    def __init__(self, store: Asks, at_once: int = 3) -> None:
        self._store = store
        self._turns = asyncio.Semaphore(at_once)
        self._asking: dict[str, _Asking] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def answer(self, sql: str, no_older_than_s: float) -> Answer:
        """What the store said to the statement, not longer ago than that.

        Raises: TransientError, Busy, Refused: as `Store.ask`; that is remembered for a second too.
        """
        kept = self._kept.get(sql)
        allowed_s = no_older_than_s if kept is None or isinstance(kept.outcome, Answer) else _SOONEST_AGAIN_S
        if kept is None or self._now_s() - kept.at_s > allowed_s:
            kept = await self._waited_for(sql)
        if isinstance(kept.outcome, Answer):
            return kept.outcome
        raise kept.outcome.with_traceback(None)

    async def close(self) -> None:
        tasks = [asking.task for asking in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _waited_for(self, sql: str) -> _Kept:
        """A closed page does not take the answer away from others who wait for it; what nobody waits for any more
        and the store has not begun is dropped, so that it does not stand in the way of the next page."""
        asking = self._asked(sql)
        asking.waiting += 1
        try:
            return await asyncio.shield(asking.task)
        finally:
            asking.waiting -= 1
            if not asking.waiting and not asking.started and not asking.task.done():
                asking.task.cancel()
                self._forget(sql, asking)

    def _asked(self, sql: str) -> _Asking:
        if sql not in self._asking:
            asking = self._asking[sql] = _Asking(asyncio.create_task(self._ask(sql)))
            asking.task.add_done_callback(lambda _: self._forget(sql, asking))
        return self._asking[sql]

    def _forget(self, sql: str, asking: _Asking) -> None:
        if self._asking.get(sql) is asking:
            del self._asking[sql]

    async def _ask(self, sql: str) -> _Kept:
        outcome: Answer | TransientError | Refused
        async with self._turns:
            self._asking[sql].started = True
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
