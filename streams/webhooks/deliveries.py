"""Sends what the outbox holds, for as long as this worker is the one that speaks."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from schemas.dead_letter import DeadLetter, dead_letter_id, payload_hash
from schemas.signal import Delivery, Signal
from streams.apps.clock import Clock, wall_clock
from streams.webhooks.outbox import LOOKED_BACK, Message, Outbox
from streams.webhooks.sender import Outcome, Sender

_EVERY_S, _AT_ONCE = 0.5, 4
_log = logging.getLogger(__name__)

Bury = Callable[[Sequence[DeadLetter]], Awaitable[None]]
"""Writes dead letters; returns once they are safe, however long that takes."""


class DeliveryStore(Protocol):
    """What is kept over a crash. Methods return when the store has answered, however long that takes."""

    async def recent(self, since: datetime) -> list[Signal]:
        """The newest record of the signals that were said, or ended, from then on."""

    async def deliveries(self, since: datetime) -> list[Delivery]:
        """The newest record of every message since then, and all marks."""

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        """Returns once they are acknowledged."""


class Deliveries:
    """A listener of the `signals` app.

    Args:
        bury: for messages that are given up.
        may_send: whether this worker is still the one that speaks.
        clock: what now is.
        counted: told how each attempt ended: `delivered`, `failed`, `dead` or `gone`.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        store: DeliveryStore,
        bury: Bury,
        may_send: Callable[[], bool],
        clock: Clock = wall_clock,
        counted: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._outbox, self._sender, self._store, self._bury = outbox, sender, store, bury
        self._may_send, self._clock, self._counted = may_send, clock, counted
        self._begun = False
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._ended: list[asyncio.Task[None]] = []

    async def begin(self, known: Sequence[Signal]) -> None:
        """Find out what was not delivered yet. `known`: said before, some perhaps not in the store yet."""
        if not self._outbox.receivers:
            return
        now = self._clock()
        since = now - LOOKED_BACK
        marks = self._outbox.restore(await self._store.deliveries(since), now)
        if marks:
            await self._store.record(marks)
        signals = {signal.signal: signal for signal in await self._store.recent(since)}
        signals |= {signal.signal: signal for signal in known if signal.said_at >= since}
        self._outbox.add(signals.values(), now, restoring=True)
        self._begun = True
        if self._outbox.waiting:
            _log.info("%d messages to webhooks are waiting", len(self._outbox.waiting))

    def said(self, signals: Sequence[Signal]) -> None:
        """These are on the log."""
        if self._begun:
            self._outbox.add(signals, self._clock())

    def end(self) -> None:
        """Send nothing more; what is under way is broken off, and sent again by whoever speaks next."""
        self._begun = False
        for task in self._under_way.values():
            task.cancel()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            self._raise_failures()
            if self._begun and self._may_send():
                self._start()

    def _start(self) -> None:
        """A receiver that does not answer holds up nobody but itself."""
        busy = Counter(webhook for webhook, _ in self._under_way)
        for message in self._outbox.due(self._clock()):
            key = (message.receiver.name, message.id)
            if key not in self._under_way and busy[message.receiver.name] < _AT_ONCE:
                busy[message.receiver.name] += 1
                self._under_way[key] = task = asyncio.create_task(self._attempt(message))
                task.add_done_callback(self._note)

    def _note(self, task: asyncio.Task[None]) -> None:
        self._ended.append(task)

    def _raise_failures(self) -> None:
        ended, self._ended = self._ended, []
        for task in ended:
            self._under_way = {key: each for key, each in self._under_way.items() if each is not task}
            if not task.cancelled():
                task.result()

    async def _attempt(self, message: Message) -> None:
        outcome = await self._sender.send(message.receiver, message.id, message.body, self._clock())
        kept = self._outbox.answered(message, outcome, self._clock())
        _say(message, outcome, kept)
        self._counted(_ended(outcome, kept))
        if kept.state == "dead":
            await self._bury([self._letter(message, outcome)])
        await self._store.record([kept])
        if outcome.verdict == "gone":
            # Last: whoever goes on after a kill asks nobody who is noted as gone, and so buries nothing of theirs.
            await self._stop(message)

    async def _stop(self, message: Message) -> None:
        mark, left = self._outbox.stop(message.receiver, self._clock())
        await self._bury([self._letter(each, Outcome("gone")) for each in left])
        await self._store.record([mark])

    def _letter(self, message: Message, outcome: Outcome) -> DeadLetter:
        code = "gone" if outcome.verdict == "gone" else "undelivered"
        name, content = f"webhook/{message.receiver.name}", message.body
        return DeadLetter(
            id=dead_letter_id(code, f"{name}/{message.id}", -1, -1, content),
            stage="webhook",
            code=code,
            field=message.id,
            topic=name,
            payload_sha256=payload_hash(content),
            payload_bytes=len(content),
            at=self._clock(),
        )


def _ended(outcome: Outcome, kept: Delivery) -> str:
    if outcome.verdict == "gone":
        return "gone"
    return kept.state if kept.state in ("delivered", "dead") else "failed"


def _say(message: Message, outcome: Outcome, kept: Delivery) -> None:
    name = message.receiver.name
    if kept.state == "delivered":
        _log.info("webhook %s: %s delivered, attempt %d", name, message.id, kept.attempts)
    elif outcome.verdict == "gone":
        _log.error("webhook %s: wants no more (HTTP 410); nothing is sent there until its URL changes", name)
    elif kept.state == "dead":
        _log.error("webhook %s: %s given up after %d attempts: %s", name, message.id, kept.attempts, outcome.why)
    else:
        _log.warning("webhook %s: %s, attempt %d: %s", name, message.id, kept.attempts, outcome.why)
