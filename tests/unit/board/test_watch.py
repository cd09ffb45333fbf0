"""An open page: what it is sent, and how often the store is asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from deploy.board.answers import Answers
from deploy.board.choice import choice_of
from deploy.board.look import Look
from deploy.board.store import Answer, Busy, Refused
from deploy.board.watch import Message, Watch, base_pace_s, connection_lost, pace_s
from deploy.dashboards.catalogue import dashboard
from deploy.dashboards.dashboard import Dashboard
from deploy.dashboards.panel import Bars, Column, Panel, Query, Stat, Table, text
from schemas.errors import TransientError
from tests.unit.board.panels import dashboard as made_of
from tests.unit.board.panels import panel

NOW = datetime(2026, 11, 23, 12, 0, 7, tzinfo=UTC)


class Says:
    """A store that answers every statement by a function of it."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def ask(self, sql: str) -> Answer:
        self.asked.append(sql)
        return self.answer(sql)


def _count(key: str, sql: str) -> Panel:
    return Panel(key, key, "?", (Query(sql, (Column("n", "count"),)),), Stat("n"), "Nothing.")


def _one(sql: str) -> Answer:
    if "broken" in sql:
        raise Refused("no such view")
    if "busy" in sql:
        raise Busy("later")
    return Answer(("n",), ((1,),))


async def _messages(of: Dashboard, answer: Callable[[str], Answer], until: Callable[[Message], bool]) -> list[Message]:
    """What a page is sent up to the message that is waited for."""
    sent: list[Message] = []
    arrived = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        if until(message):
            arrived.set()

    look = Look(Answers(Says(answer)), choice_of(of, []), lambda: NOW)
    watching = asyncio.create_task(Watch(look, send).run())
    async with asyncio.timeout(10):
        await arrived.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return sent


def _parts(messages: list[Message]) -> dict[str, str]:
    return {name: part for message in messages for name, part in message.get("parts", {}).items()}


async def test_page_is_sent_every_panel_and_when_it_was_looked_at() -> None:
    of = made_of(refresh_s=5, panels=(_count("a", "SELECT 1"), _count("b", "SELECT 2")))
    messages = await _messages(of, _one, lambda message: "looked" in message)
    assert {"body-a", "body-b", "controls"} <= _parts(messages).keys()
    assert {"looked": "2026-11-23T12:00:07+00:00", "every": "every second"} in messages


async def test_slow_panel_holds_up_no_other() -> None:
    class Stuck(Says):
        async def ask(self, sql: str) -> Answer:
            if "stuck" in sql:
                await asyncio.Event().wait()
            return await super().ask(sql)

    of = made_of(refresh_s=5, panels=(_count("a", "SELECT stuck"), _count("b", "SELECT 2")))
    arrived = asyncio.Event()

    async def send(message: Message) -> None:
        if "body-b" in message.get("parts", {}):
            arrived.set()

    look = Look(Answers(Stuck(_one)), choice_of(of, []), lambda: NOW)
    watching = asyncio.create_task(Watch(look, send).run())
    async with asyncio.timeout(10):
        await arrived.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_look_ends_when_its_page_is_closed() -> None:
    async def closed(_: Message) -> None:
        raise ConnectionResetError

    look = Look(Answers(Says(_one)), choice_of(made_of(), []), lambda: NOW)
    with pytest.raises(ExceptionGroup) as ended:
        await Watch(look, closed).run()
    assert connection_lost(ended.value)


async def test_refused_panel_leaves_the_others_alone() -> None:
    of = made_of(refresh_s=5, panels=(_count("a", "SELECT broken"), _count("b", "SELECT 2")))
    parts = _parts(await _messages(of, _one, lambda message: "looked" in message))
    assert "no such view" in parts["body-a"]
    assert "1" in parts["body-b"]


async def test_panel_that_the_store_has_no_time_for_stays_as_it_was() -> None:
    of = made_of(refresh_s=5, panels=(_count("a", "SELECT busy"), _count("b", "SELECT 2")))
    parts = _parts(await _messages(of, _one, lambda message: "looked" in message))
    assert "body-a" not in parts
    assert "body-b" in parts


async def test_page_says_that_the_store_is_away() -> None:
    def away(_: str) -> Answer:
        raise TransientError("away")

    messages = await _messages(made_of(panels=(_count("a", "SELECT 1"),)), away, lambda message: "parts" in message)
    assert "The store does not answer" in _parts(messages)["notice"]


async def test_empty_store_is_said_and_looked_at_more_often() -> None:
    def empty(sql: str) -> Answer:
        return Answer(("n",), ()) if "freshness" in sql else _one(sql)

    messages = await _messages(made_of(panels=(_count("a", "SELECT 1"),)), empty, lambda message: "looked" in message)
    assert "No event has arrived yet" in _parts(messages)["notice"]
    assert next(message["every"] for message in messages if "every" in message) == "every 5 s"


async def test_period_moves_in_steps_so_that_pages_share_answers() -> None:
    answers = Answers(Says(_one))
    live = Look(answers, choice_of(made_of(refresh_s=5), []), lambda: NOW).time_range
    slow = Look(answers, choice_of(made_of(), []), lambda: NOW).time_range
    assert live.end == NOW.replace(second=5)
    assert slow.end == NOW.replace(second=0)


@pytest.mark.parametrize(
    ("key", "visual", "every_s"),
    [("live", Table(), 1.0), ("live", Bars("r", "n"), 5.0), ("pipeline", Table(), 30.0), ("ties", Table(), 60.0)],
)
def test_what_is_open_is_looked_at_every_second_and_quality_once_a_minute(
    key: str, visual: Table | Bars, every_s: float
) -> None:
    of = panel(visual, text("r"), Column("n", "count"))
    assert base_pace_s(choice_of(dashboard(key), []), of) == every_s


@pytest.mark.parametrize(("base_s", "took_s", "next_s"), [(1, 0.05, 1), (1, 2.0, 10), (1, 20.0, 60), (60, 30.0, 60)])
def test_slow_answer_is_asked_for_more_rarely(base_s: float, took_s: float, next_s: float) -> None:
    assert pace_s(base_s, took_s) == next_s
