"""Messages and exchanges: who asked whom, who replied when, and what turned out to be wrong."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.events import CommunicationCorrected, CommunicationRead, CommunicationSent
from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, ExchangeRow
from streams.inference.due import joint_due
from streams.inference.timeline import Timeline, human_of

_NAMED = set(ExchangeRow.model_fields) - UNSAID


@dataclass(slots=True)
class MessageEpisode:
    """One message and what followed from it. `to_roles` are normalised, each once, in the order of `parts`.

    `parts` numbers the addressed roles by their place in the event, so that the number outlives a change of aliases.
    `due_at` and `reply` are None where no reply is expected.
    """

    sent: CommunicationSent
    from_role: str
    to_roles: tuple[str, ...]
    parts: tuple[int, ...]
    due_at: datetime | None
    reply: CommunicationSent | None
    settled_at: datetime
    wrong: CommunicationCorrected | None
    readers: dict[str, str]

    def row(self, run: str, line: Timeline) -> ExchangeRow:
        """As a row of `exchanges`."""
        sent, reply = self.sent, self.reply
        values = {
            "run": run,
            "process": sent.process,
            "site": sent.site,
            "work_item": sent.subject,
            "episode_id": line.ref(sent),
            "event_ids": line.refs(sent, (reply,) if reply else ()),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "message_id": sent.data.message_id,
            "from_role": self.from_role,
            "to_roles": self.to_roles,
            "sent_at": sent.time,
            "reply_due_at": self.due_at,
            "replied_at": reply.time if reply else None,
            "replied_by_role": line.policy.role(reply.data.role) if reply else "",
            "waited_s": (reply.time - sent.time).total_seconds() if reply else None,
        }
        return made(ExchangeRow, values, _NAMED)


def messages(line: Timeline) -> list[MessageEpisode]:
    """Every message of a work item; a repeated `message_id` is a copy of the first and starts nothing."""
    first: dict[str, CommunicationSent] = {}
    for sent in line.messages:
        first.setdefault(sent.data.message_id, sent)
    return [_episode(line, sent) for sent in first.values()]


def addressed(line: Timeline, to_roles: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Normalised roles, each once, and the place of each in the event."""
    if len(to_roles) == 1:
        return (line.policy.role(to_roles[0]),), (0,)
    places: dict[str, int] = {}
    for place, role in enumerate(to_roles):
        places.setdefault(line.policy.role(role), place)
    return tuple(places), tuple(places.values())


def _episode(line: Timeline, sent: CommunicationSent) -> MessageEpisode:
    to_roles, parts = addressed(line, sent.data.to_roles)
    settled_at = sent.time + line.settle
    expects, message_id = sent.data.expects_reply, sent.data.message_id
    acts, replies = line.message_acts.get(message_id, ()), line.replies.get(message_id, ())
    return MessageEpisode(
        sent=sent,
        from_role=line.policy.role(sent.data.role),
        to_roles=to_roles,
        parts=parts,
        due_at=_due(line, sent, to_roles) if expects else None,
        reply=_reply(line, sent, to_roles) if expects else None,
        settled_at=settled_at,
        wrong=next(_errors(line, sent, to_roles, settled_at), None) if acts else None,
        readers=_readers(line, [*acts, *replies], settled_at) if acts or replies else {},
    )


def _due(line: Timeline, sent: CommunicationSent, to_roles: tuple[str, ...]) -> datetime | None:
    targets = line.policy.process.targets.reply_s
    return joint_due(sent.time, sent.data.reply_due_at, targets, to_roles, line.policy, line.pauses)


def _reply(line: Timeline, sent: CommunicationSent, to_roles: tuple[str, ...]) -> CommunicationSent | None:
    """The first by a human of an addressed role. A self-tie is answered by another message, never by itself."""
    for reply in line.replies.get(sent.data.message_id, ()):
        by_human = human_of(reply) is not None and line.policy.role(reply.data.role) in to_roles
        if by_human and line.place(reply) > line.place(sent):
            return reply
    return None


def _errors(
    line: Timeline, sent: CommunicationSent, to_roles: tuple[str, ...], until: datetime
) -> Iterator[CommunicationCorrected]:
    """Corrections that show an inaccuracy: reported by a receiver, or made after a receiver had acted.

    A sender that corrects itself in time made no error that anyone felt.
    """
    role = line.policy.role
    for act in line.message_acts.get(sent.data.message_id, ()):
        if not isinstance(act, CommunicationCorrected) or not sent.order < act.order or act.time > until:
            continue
        reporter = role(act.data.reported_by or act.data.role)
        reported = reporter in to_roles and (act.data.reported_by is not None or reporter != role(sent.data.role))
        if reported or any(_acted(line, by, sent, act) for by in to_roles):
            yield act


def _acted(line: Timeline, role: str, after: CommunicationSent, before: CommunicationCorrected) -> bool:
    acts = line.human_acts(role)
    first = bisect_right(acts, after.order)
    return first < len(acts) and acts[first] < before.order


def _readers(
    line: Timeline, had: Sequence[CommunicationRead | CommunicationCorrected | CommunicationSent], until: datetime
) -> dict[str, str]:
    """The first human of each role known to have had the message: who read it, replied, or reported it."""
    readers: dict[str, str] = {}
    for act in sorted(had, key=line.place) if len(had) > 1 else had:
        actor = human_of(act)
        if actor is not None and act.time <= until:
            readers.setdefault(line.policy.role(act.data.role), actor)
    return readers
