"""Sharing answers among pages."""

from __future__ import annotations

import asyncio

import pytest

from deploy.board.answers import Answers
from deploy.board.store import Answer, Refused
from schemas.errors import TransientError


class Slow:
    """A store that answers when it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self._fault = fault

    async def ask(self, sql: str) -> Answer:
        self.asked.append(sql)
        await self.go.wait()
        if self._fault is not None:
            raise self._fault
        return Answer(("n",), ((len(self.asked),),))


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_pages_that_ask_the_same_share_one_answer() -> None:
    store = Slow()
    answers = Answers(store)
    pages = [asyncio.create_task(answers.answer("a", 1.0)) for _ in range(5)]
    await _settled()
    store.go.set()
    assert {(await page).rows for page in pages} == {((1,),)}
    assert store.asked == ["a"]


async def test_recent_answer_is_not_asked_again_and_an_older_one_is() -> None:
    store = Slow()
    store.go.set()
    answers = Answers(store)
    await answers.answer("a", 60.0)
    await answers.answer("a", 60.0)
    assert store.asked == ["a"]
    await answers.answer("a", -1.0)
    assert store.asked == ["a", "a"]


async def test_only_so_many_are_asked_at_once() -> None:
    store = Slow()
    answers = Answers(store, at_once=2)
    pages = [asyncio.create_task(answers.answer(str(number), 1.0)) for number in range(5)]
    await _settled()
    assert len(store.asked) == 2
    store.go.set()
    await asyncio.gather(*pages)
    assert len(store.asked) == 5


async def test_closed_page_does_not_take_the_answer_from_others() -> None:
    store = Slow()
    answers = Answers(store)
    closed, open_ = (asyncio.create_task(answers.answer("a", 1.0)) for _ in range(2))
    await _settled()
    closed.cancel()
    await _settled()
    store.go.set()
    assert (await open_).rows == ((1,),)


async def test_question_that_nobody_waits_for_any_more_is_not_begun() -> None:
    store = Slow()
    answers = Answers(store, at_once=1)
    first = asyncio.create_task(answers.answer("first", 1.0))
    await _settled()
    closed = asyncio.create_task(answers.answer("closed", 1.0))
    await _settled()
    closed.cancel()
    await _settled()
    store.go.set()
    await first
    await answers.answer("later", 1.0)
    assert store.asked == ["first", "later"]


@pytest.mark.parametrize("fault", [Refused("no"), TransientError("away")])
async def test_store_that_cannot_answer_is_left_alone_for_a_moment(fault: Exception) -> None:
    store = Slow(fault)
    store.go.set()
    answers = Answers(store)
    for _ in range(3):
        with pytest.raises(type(fault)):
            await answers.answer("a", 0.5)
    assert store.asked == ["a"]


async def test_closing_ends_what_is_under_way() -> None:
    answers = Answers(Slow())
    page = asyncio.create_task(answers.answer("a", 1.0))
    await _settled()
    await answers.close()
    with pytest.raises(asyncio.CancelledError):
        await page
