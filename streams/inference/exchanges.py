"""Messages and exchanges: who asked whom, who replied when, and what turned out to be wrong."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, ExchangeRow
from streams.inference.acts import Act, Correction, Message
from streams.inference.due import joint_due
from streams.inference.timeline import Timeline

_NAMED = set(ExchangeRow.model_fields) - UNSAID
_FIRST = (0,)
_NOTHING: tuple[Act, ...] = ()


class MessageEpisode:
    """One message and what followed from it. `to_roles` are normalised, each once, in the order of `parts`.

    `parts` numbers the addressed roles by their place in the event, so that the number outlives a change of aliases.
    `due_at` and `reply` are None where no reply is expected; `readers` are None where nobody is known to have had it.
    """

    __slots__ = ("due_at", "parts", "readers", "reply", "sent", "settled_at", "to_roles", "wrong")

    def __init__(self, sent: Message, to_roles: tuple[str, ...], parts: tuple[int, ...], settled_at: datetime) -> None:
        self.sent = sent
        self.to_roles = to_roles
        self.parts = parts
        self.settled_at = settled_at
        self.due_at: datetime | None = None
        self.reply: Message | None = None
        self.wrong: Correction | None = None
        self.readers: dict[str, str] | None = None

    def row(self, run: str, line: Timeline) -> ExchangeRow:
        """As a row of `exchanges`."""
        sent, reply = self.sent, self.reply
        values: dict[str, Any] = {
            "event_ids": line.refs(sent, () if reply is None else (reply,)),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "run": run,
            "process": line.process,
            "site": sent.site,
            "work_item": line.work_item,
            "episode_id": sent.ref,
            "message_id": sent.message_id,
            "from_role": sent.role,
            "to_roles": self.to_roles,
            "sent_at": sent.time,
            "reply_due_at": self.due_at,
            "replied_at": None if reply is None else reply.time,
            "replied_by_role": "" if reply is None else reply.role,
            "waited_s": None if reply is None else (reply.time - sent.time).total_seconds(),
        }
        return made(ExchangeRow, values, _NAMED)


def messages(line: Timeline) -> list[MessageEpisode]:
    """Every message of a work item; a repeated `message_id` is a copy of the first and starts nothing."""
    first: dict[str, Message] = {}
    for sent in line.messages:
        first.setdefault(sent.message_id, sent)
    return [_episode(line, sent) for sent in first.values()]


def addressed(roles: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Each of some normalised roles once, and the place of each in the event."""
    if len(roles) == 1:
        return tuple(roles), _FIRST
    places: dict[str, int] = {}
    for place, role in enumerate(roles):
        places.setdefault(role, place)
    return tuple(places), tuple(places.values())


def _episode(line: Timeline, sent: Message) -> MessageEpisode:
    to_roles, parts = addressed(sent.to_roles)
    found = MessageEpisode(sent, to_roles, parts, sent.time + line.settle)
    acts, replies = line.message_acts.get(sent.message_id, _NOTHING), line.replies.get(sent.message_id, _NOTHING)
    if sent.expects_reply:
        targets = line.policy.process.targets.reply_s
        found.due_at = joint_due(sent.time, sent.reply_due_at, targets, to_roles, line)
        found.reply = _reply(line, sent, to_roles)
    if acts:
        found.wrong = _error(line, found, acts)
    if acts or replies:
        found.readers = _readers([*acts, *replies], found.settled_at)
    return found


def _reply(line: Timeline, sent: Message, to_roles: tuple[str, ...]) -> Message | None:
    """The first by a human of an addressed role. A self-tie is answered by another message, never by itself."""
    for reply in line.replies.get(sent.message_id, ()):
        if reply.human is not None and reply.role in to_roles and reply.place > sent.place:
            return reply
    return None


def _error(line: Timeline, found: MessageEpisode, acts: Sequence[Act]) -> Correction | None:
    """The first correction that shows an inaccuracy: reported by a receiver, or made after a receiver had acted.

    A sender that corrects itself in time made no error that anyone felt.
    """
    sent, to_roles = found.sent, found.to_roles
    for act in acts:
        if not isinstance(act, Correction) or act.place < sent.place or act.time > found.settled_at:
            continue
        if _reported(act, sent, to_roles) or _acted(line, to_roles, sent, act):
            return act
    return None


def _reported(act: Correction, sent: Message, to_roles: tuple[str, ...]) -> bool:
    """By a receiver: where the event does not say by whom, whoever corrects it is not the sender."""
    if act.reported_by is not None:
        return act.reported_by in to_roles
    return act.role in to_roles and act.role != sent.role


def _acted(line: Timeline, roles: tuple[str, ...], after: Act, before: Act) -> bool:
    """Whether a human of one of the roles acted between the two."""
    for role in roles:
        acts = line.human_acts(role)
        first = bisect_right(acts, after.place)
        if first < len(acts) and acts[first] < before.place:
            return True
    return False


def _readers(had: Sequence[Act], until: datetime) -> dict[str, str]:
    """The first human of each role known to have had the message: who read it, replied, or reported it."""
    readers: dict[str, str] = {}
    for act in sorted(had, key=_place) if len(had) > 1 else had:
        if act.human is not None and act.time <= until:
            readers.setdefault(act.role, act.human)
    return readers


def _place(act: Act) -> int:
    return act.place
