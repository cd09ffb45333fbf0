"""The loop of deliveries: it records what came of every attempt, and goes on after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from schemas.dead_letter import DeadLetter
from schemas.signal import Delivery, Signal
from streams.client.backoff import Backoff
from streams.webhooks.deliveries import Deliveries
from streams.webhooks.outbox import Outbox
from streams.webhooks.sender import Outcome, Verdict
from streams.webhooks.settings import Receiver
from tests.unit.signals.findings import NOW, at, ended, overdue, said
from tests.unit.webhooks.test_outbox import receiver

STATUS: dict[Verdict, int] = {"delivered": 204, "failed": 503, "gone": 410}


class World:
    """A receiver, a store and a clock that outlive the workers."""

    def __init__(self) -> None:
        self.rows: list[Delivery] = []
        self.signals: list[Signal] = []
        self.sent: list[tuple[str, str, bytes]] = []
        self.letters: list[DeadLetter] = []
        self.verdict: Verdict = "delivered"
        self.now = NOW
        self.speaks = True

    async def send(self, receiver: Receiver, message: str, body: bytes, now: datetime) -> Outcome:
        self.sent.append((receiver.name, message, body))
        return Outcome(self.verdict, STATUS[self.verdict], why="as told")

    async def recent(self, since: datetime) -> list[Signal]:
        return [signal for signal in self.signals if signal.said_at >= since]

    async def deliveries(self, since: datetime) -> list[Delivery]:
        return sorted(self.rows, key=lambda row: row.attempts)

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        self.rows += deliveries

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        self.letters += letters

    def worker(self, *receivers: Receiver) -> Deliveries:
        outbox = Outbox(receivers or (receiver(),), None, Backoff(first_s=5.0, longest_s=3600.0, chance=lambda: 1.0))
        return Deliveries(outbox, self, self, self.bury, lambda: self.speaks, lambda: self.now)

    async def attempts(self, worker: Deliveries) -> None:
        """Everything that is due now."""
        worker._start()
        while worker._under_way:
            await asyncio.sleep(0)
            worker._raise_failures()

    def states(self) -> list[str]:
        return [row.state for row in self.rows if row.state != "since"]


async def begun(world: World) -> Deliveries:
    worker = world.worker()
    await worker.begin([])
    return worker


async def test_what_is_said_is_sent_and_recorded_once() -> None:
    world = World()
    worker = await begun(world)
    worker.said([said(overdue())])
    await world.attempts(worker)
    await world.attempts(worker)
    assert [(name, message) for name, message, _ in world.sent] == [("team", said(overdue()).signal)]
    assert world.states() == ["delivered"]


async def test_after_a_restart_a_message_goes_on_with_its_id_and_its_bytes_until_it_is_delivered() -> None:
    world = World()
    world.verdict, world.signals = "failed", [said(overdue())]
    for _ in range(3):
        worker = await begun(world)
        await world.attempts(worker)
        world.now += timedelta(hours=1)
    world.verdict, world.signals = "delivered", [ended(said(overdue()), 5)]
    worker = await begun(world)
    await world.attempts(worker)
    await world.attempts(await begun(world))
    assert world.states() == ["waiting", "waiting", "waiting", "delivered"]
    assert [row.attempts for row in world.rows if row.state != "since"] == [1, 2, 3, 4]
    assert len(set(world.sent)) == 1
    assert len(world.sent) == 4


async def test_a_worker_killed_before_the_answer_was_recorded_sends_the_same_again() -> None:
    world = World()
    world.signals = [said(overdue())]
    await world.attempts(await begun(world))
    world.rows = [row for row in world.rows if row.state == "since"]
    await world.attempts(await begun(world))
    assert len(world.sent) == 2
    assert len(set(world.sent)) == 1


async def test_what_the_store_does_not_have_yet_is_sent_too() -> None:
    world = World()
    worker = world.worker()
    await worker.begin([said(overdue(), 1)])
    world.now = at(1)
    await world.attempts(worker)
    assert len(world.sent) == 1


async def test_a_message_that_is_given_up_is_one_dead_letter_whoever_gives_it_up() -> None:
    world = World()
    world.verdict, world.signals = "failed", [said(overdue())]
    await world.attempts(await begun(world))
    kept = list(world.rows)
    for _ in range(2):
        world.rows = list(kept)
        world.now = at(25 * 60)
        await world.attempts(await begun(world))
    assert {(letter.stage, letter.code, letter.topic) for letter in world.letters} == {
        ("webhook", "undelivered", "webhook/team")
    }
    assert len({letter.id for letter in world.letters}) == 1
    assert world.letters[0].field == said(overdue()).signal
    assert world.states()[-1] == "dead"


async def test_a_receiver_that_is_gone_turns_what_waits_into_dead_letters_and_is_left_alone() -> None:
    world = World()
    world.verdict, world.signals = "gone", [said(overdue(str(n))) for n in range(3)]
    worker = await begun(world)
    await world.attempts(worker)
    worker.said([said(overdue("later"))])
    await world.attempts(worker)
    assert {(letter.code, letter.field) for letter in world.letters} == {
        ("gone", each.signal) for each in world.signals
    }
    again = await begun(world)
    again.said([said(overdue("even-later"))])
    before = len(world.sent)
    await world.attempts(again)
    assert len(world.sent) == before


async def test_who_does_not_speak_any_more_sends_nothing() -> None:
    world = World()
    worker = await begun(world)
    worker.end()
    worker.said([said(overdue())])
    await world.attempts(worker)
    assert world.sent == []


async def test_a_failure_of_ours_ends_the_worker_and_is_no_silence() -> None:
    world = World()
    worker = await begun(world)

    async def broken(_deliveries: Sequence[Delivery]) -> None:
        raise RuntimeError("a bug")

    changed: Callable[[Sequence[Delivery]], object] = broken
    world.record = changed  # type: ignore[method-assign, assignment]
    worker.said([said(overdue())])
    with pytest.raises(RuntimeError, match="a bug"):
        await world.attempts(worker)


async def test_without_a_webhook_nothing_is_asked_of_the_store() -> None:
    world = World()
    deliveries = Deliveries(Outbox([], None), world, world, world.bury, lambda: True, lambda: NOW)
    await deliveries.begin([said(overdue())])
    assert world.rows == []


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else() -> None:
    world = World()
    worker = world.worker(receiver("a-silent-one"), receiver("team"))
    await worker.begin([])
    silent = asyncio.Event()
    answer = world.send

    async def send(to: Receiver, message: str, body: bytes, now: datetime) -> Outcome:
        if to.name == "a-silent-one":
            await silent.wait()
        return await answer(to, message, body, now)

    world.send = send  # type: ignore[method-assign, assignment]
    worker.said([said(overdue(str(number))) for number in range(20)])
    for _ in range(200):
        worker._start()
        worker._raise_failures()
        await asyncio.sleep(0)
    assert len(world.sent) == 20
    worker.end()
