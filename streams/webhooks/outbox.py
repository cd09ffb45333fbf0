"""Which messages wait for which webhook, when they are due, and what became of them. No I/O; time is an argument.

Nothing is kept here that could not be found again: messages follow from the signals that were said, and how far each
has come is recorded as a `Delivery` after every attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.calendar import Calendar
from schemas.signal import Delivery, DeliveryState, Signal
from schemas.vocabulary import EARLIEST
from streams.client.backoff import Backoff
from streams.inference.calendar import open_intervals
from streams.webhooks.message import MessageKind, Said, body
from streams.webhooks.sender import Outcome
from streams.webhooks.settings import Receiver

TRIED_FOR = timedelta(hours=24)
LOOKED_BACK = timedelta(days=9)
"""How old a signal may be that is still to be delivered: a week of quiet hours, a day of attempts, a day to spare."""
DIGEST_GRACE = timedelta(seconds=10)
"""A signal said in the last moment of quiet hours is acknowledged by then."""
BACKOFF = Backoff(first_s=5.0, longest_s=3600.0)
SINCE = "since"
_MOST_KEPT = 10_000
_END = {"delivered", "dead"}


def quiet_until(quiet: Calendar | None, at: datetime) -> datetime | None:
    """When the quiet hours that hold at an instant end; None: it is in none. Hours that touch are one."""
    if quiet is None:
        return None
    until = at
    for opens, closes in open_intervals(quiet, at):
        if opens > until:
            break
        until = closes
    return until if until > at else None


def gone_mark(receiver: Receiver) -> str:
    """Names an address that wants no more; another address of the webhook starts anew."""
    return f"gone-{hashlib.sha256(receiver.url.encode()).hexdigest()[:16]}"


@dataclass(slots=True)
class Message:
    """One message to one webhook.

    Attributes:
        at: when it was said; of a digest, when quiet hours ended.
        due_at: of the next attempt.
        signals: by id and kind of what was said, so that saying it again changes nothing.
    """

    receiver: Receiver
    id: str
    kind: MessageKind
    at: datetime
    due_at: datetime
    urgent: bool
    signals: dict[tuple[str, Said], Signal] = field(default_factory=dict)
    attempts: int = 0
    first_at: datetime | None = None

    @property
    def body(self) -> bytes:
        """Its bytes, the same for every attempt."""
        return body(self.kind, [(said, self.signals[name, said]) for name, said in sorted(self.signals)], self.at)


class Outbox:
    """Messages that wait.

    Args:
        quiet: open while webhooks are to wait.
    """

    def __init__(self, receivers: Sequence[Receiver], quiet: Calendar | None, backoff: Backoff = BACKOFF) -> None:
        self.receivers = {receiver.name: receiver for receiver in receivers}
        self._quiet, self._backoff = quiet, backoff
        self._since: dict[str, datetime] = {}
        self._from = EARLIEST
        self._gone: set[str] = set()
        self._kept: dict[tuple[str, str], Delivery] = {}
        self._waiting: dict[tuple[str, str], Message] = {}

    @property
    def waiting(self) -> list[Message]:
        """All of them, the first due first."""
        return sorted(self._waiting.values(), key=lambda message: (message.due_at, message.id))

    def restore(self, kept: Iterable[Delivery], now: datetime) -> list[Delivery]:
        """Begin with what was recorded. Returns: what is to be recorded of webhooks that are new: since now."""
        self._waiting, self._kept, self._gone = {}, {(each.webhook, each.message): each for each in kept}, set()
        marks = []
        for name, receiver in self.receivers.items():
            since = self._kept.get((name, SINCE))
            if since is None:
                since = Delivery(webhook=name, message=SINCE, state="since", at=now)
                marks.append(since)
            self._since[name] = since.at
            if (name, gone_mark(receiver)) in self._kept:
                self._gone.add(name)
        return marks

    def add(self, signals: Iterable[Signal], now: datetime, restoring: bool = False) -> None:
        """What was said becomes messages, once; what was said longer ago than `LOOKED_BACK` becomes none.

        Args:
            restoring: it was said before a restart, so a digest that was tried already had it.
        """
        self._forget(now - LOOKED_BACK)
        for signal in signals:
            for receiver in self.receivers.values():
                if _wants(receiver, signal) and receiver.name not in self._gone:
                    self._add(receiver, "opened", signal, signal.opened_at, restoring)
                    if signal.state == "closed" and receiver.webhook.closings:
                        self._add(receiver, "closed", signal, signal.said_at, restoring)

    def due(self, now: datetime) -> list[Message]:
        """What is to be sent now. In quiet hours what is not urgent waits, whatever it waited for before."""
        quiet = quiet_until(self._quiet, now)
        return [message for message in self.waiting if message.due_at <= now and (quiet is None or message.urgent)]

    def answered(self, message: Message, outcome: Outcome, now: datetime) -> Delivery:
        """What came of an attempt, to be recorded. `dead`: it becomes a dead letter."""
        message.attempts += 1
        message.first_at = message.first_at or now
        state: DeliveryState = "delivered" if outcome.verdict == "delivered" else "waiting"
        if outcome.verdict == "gone" or (state == "waiting" and now - message.first_at >= TRIED_FOR):
            state = "dead"
        if state == "waiting":
            wait_s = self._backoff.wait_s(message.attempts, outcome.retry_after, now)
            # The last attempt is at the end of the day, not an hour after it.
            message.due_at = min(now + timedelta(seconds=wait_s), max(message.first_at + TRIED_FOR, now))
        kept = Delivery(
            webhook=message.receiver.name,
            message=message.id,
            state=state,
            attempts=message.attempts,
            first_at=message.first_at,
            next_at=message.due_at if state == "waiting" else None,
            http_status=outcome.status,
            at=now,
        )
        self._kept[kept.webhook, kept.message] = kept
        if state in _END:
            self._waiting.pop((kept.webhook, kept.message), None)
        return kept

    def stop(self, receiver: Receiver, now: datetime) -> tuple[Delivery, list[Message]]:
        """A receiver wants no more. Returns: what is to be recorded of it, and what was still waiting for it."""
        self._gone.add(receiver.name)
        left = [message for message in self.waiting if message.receiver.name == receiver.name]
        for message in left:
            del self._waiting[receiver.name, message.id]
        return Delivery(webhook=receiver.name, message=gone_mark(receiver), state="gone", at=now), left

    def _add(self, receiver: Receiver, said: Said, signal: Signal, at: datetime, restoring: bool) -> None:
        if at < max(self._since[receiver.name], self._from):
            return
        alone = signal.signal if said == "opened" else f"{signal.signal}-closed"
        until = None if signal.urgent else quiet_until(self._quiet, at)
        if until is not None and (receiver.name, alone) not in self._kept:
            digest = _digest_id(receiver.name, until)
            # The same id has the same content: a digest that has been tried takes nothing more in.
            if restoring or (receiver.name, digest) not in self._kept:
                self._put(Message(receiver, digest, "digest", until, until + DIGEST_GRACE, False), said, signal)
                return
        self._put(Message(receiver, alone, said, at, at, signal.urgent), said, signal)

    def _forget(self, before: datetime) -> None:
        """What became of older messages does not matter any more: they are not made again."""
        self._from = before
        if len(self._kept) > _MOST_KEPT:
            old = [key for key, each in self._kept.items() if each.state in _END and each.at < before]
            for key in old:
                del self._kept[key]

    def _put(self, message: Message, said: Said, signal: Signal) -> None:
        key = (message.receiver.name, message.id)
        kept = self._kept.get(key)
        if kept is not None and kept.state in _END:
            return
        if kept is not None and key not in self._waiting:
            message.attempts, message.first_at = kept.attempts, kept.first_at
            message.due_at = kept.next_at or message.due_at
        self._waiting.setdefault(key, message).signals.setdefault((signal.signal, said), signal)


def _digest_id(webhook: str, until: datetime) -> str:
    return hashlib.sha256(f"digest|{webhook}|{until.isoformat()}".encode()).hexdigest()[:32]


def _wants(receiver: Receiver, signal: Signal) -> bool:
    webhook = receiver.webhook
    of_process = not webhook.processes or not signal.process or signal.process in webhook.processes
    return signal.kind in webhook.kinds and of_process
