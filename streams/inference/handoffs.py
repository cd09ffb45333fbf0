"""A handoff as the rules see it, explicit or inferred, and its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast, get_args

from schemas.envelope import Envelope
from schemas.events import (
    HandoffAccepted,
    HandoffClarificationRequested,
    HandoffClarified,
    HandoffCorrected,
    HandoffDeclined,
    HandoffEvent,
    HandoffOffered,
    HandoffReadBack,
    HandoffReturned,
    HandoffWithdrawn,
    WorkItemAssigned,
    WorkItemWorked,
)
from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, HandoffRow
from schemas.vocabulary import HandoffState, Origin, Reason
from streams.inference.due import Due
from streams.inference.timeline import Timeline

_Reasoned = HandoffDeclined | HandoffReturned | HandoffWithdrawn | HandoffClarificationRequested | HandoffCorrected
_REASONED = frozenset(get_args(_Reasoned))
_NAMED = set(HandoffRow.model_fields) - UNSAID
Answer = HandoffAccepted | HandoffDeclined | HandoffReturned


@dataclass(slots=True)
class HandoffEpisode:
    """One handoff, explicit or inferred, as the rules see it.

    Attributes:
        answer: the first acceptance, decline or return by a human of the receiving role while the offer stood; for an
            inferred handoff the first work of the new owner.
        left_at: when the offer ended without an answer (withdrawn, superseded or passed on).
        withdrawn: the offerer's withdrawal while the offer stood or the receiver was responsible.
        work: the first work by a human of the receiver from the offer until responsibility left it: who starts before
            saying yes has started.
        given_back_at: when responsibility left the receiver for another role: returned, or taken on by the next.
        ended_by: what ended the offer or took responsibility: events of another handoff, a return, the next owner.
        step_back: the offer by which the receiver gave it back, taken or not.
        skewed: accepted before it was offered, beyond the skew tolerance: no value can be had from it.
    """

    start: HandoffOffered | WorkItemAssigned
    handoff_id: str
    from_role: str
    to_role: str
    origin: Origin
    state: HandoffState
    due: Due
    answer: Answer | WorkItemWorked | None = None
    accepted_at: datetime | None = None
    declined: HandoffDeclined | None = None
    returned: HandoffReturned | None = None
    withdrawn: HandoffWithdrawn | None = None
    left_at: datetime | None = None
    work: WorkItemWorked | None = None
    given_back_at: datetime | None = None
    ended_by: tuple[Envelope, ...] = ()
    step_back: HandoffOffered | None = None
    bounced: bool = False
    planned_return: bool = False
    skewed: bool = False
    offerer: str | None = None
    acts: list[HandoffEvent] = field(default_factory=list)
    completeness: float | None = None

    @property
    def offered_at(self) -> datetime:
        return self.start.time

    @property
    def consult(self) -> bool:
        return isinstance(self.start, HandoffOffered) and self.start.data.intent == "consult"

    @property
    def left_before_due(self) -> bool:
        """Withdrawn, superseded or passed on while still in time: neither timely nor late."""
        return self.left_at is not None and self.due.at is not None and self.left_at <= self.due.at

    def row(self, run: str, line: Timeline) -> HandoffRow:
        """As a row of `handoffs`."""
        start, due, acts, work = self.start, self.due, self.acts, self.work
        offer = start.data if isinstance(start, HandoffOffered) else None
        kinds = [type(act) for act in acts]
        others = [event for event in (self.step_back, work, self.answer) if event]
        values = {
            "run": run,
            "process": start.process,
            "site": start.site,
            "work_item": start.subject,
            "episode_id": line.ref(start),
            "event_ids": line.refs(start, (*acts, *self.ended_by, *others)),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "handoff_id": self.handoff_id,
            "from_role": self.from_role,
            "to_role": self.to_role,
            "origin": self.origin,
            "intent": offer.intent if offer else "transfer",
            "urgency": (offer.urgency or "") if offer else "",
            "offered_at": start.time,
            "needed_at": offer.needed_at if offer else None,
            "accept_due_at": due.at,
            "accept_due_unpaused_at": due.unpaused_at,
            "accepted_at": self.accepted_at,
            "declined_at": self.declined.time if self.declined else None,
            "returned_at": self.returned.time if self.returned else None,
            "withdrawn_at": self.withdrawn.time if self.withdrawn else None,
            "left_at": self.left_at,
            "closed_at": line.closed_at,
            "state": self.state,
            "waited_s": self._waited_s(),
            "worked": work is not None,
            "worked_at": work.time if work else None,
            "bounced": self.bounced,
            "planned_return": self.planned_return,
            "left_before_due": self.left_before_due,
            "skewed": self.skewed,
            "completeness": self.completeness,
            "clarifications": kinds.count(HandoffClarificationRequested),
            "read_backs": kinds.count(HandoffReadBack),
            "repaired_read_backs": repaired_read_backs(acts) if HandoffReadBack in kinds else 0,
            "own_corrections": self._own_corrections(line) if HandoffCorrected in kinds else 0,
            "reasons": () if _REASONED.isdisjoint(kinds) else tuple(sorted({*filter(None, map(reason_of, acts))})),
        }
        return made(HandoffRow, values, _NAMED)

    def _own_corrections(self, line: Timeline) -> int:
        corrections = (act for act in self.acts if isinstance(act, HandoffCorrected))
        return sum(line.policy.role(act.data.role) == self.from_role for act in corrections)

    def _waited_s(self) -> float | None:
        """Wall clock from offer to acceptance; null while unaccepted, 0 for an acceptance within the skew tolerance."""
        if self.accepted_at is None or self.skewed:
            return None
        return max(0.0, (self.accepted_at - self.start.time).total_seconds())


def repaired_read_backs(acts: Sequence[HandoffEvent]) -> int:
    """Read-backs that did not match and were then put right: the loop closed, so nothing was inaccurate."""
    repaired, broken = 0, 0
    for act in acts:
        if isinstance(act, HandoffReadBack) and not act.data.matches:
            broken += 1
        elif broken and isinstance(act, HandoffReadBack | HandoffCorrected | HandoffClarified):
            repaired, broken = repaired + broken, 0
    return repaired


def reason_of(act: HandoffEvent) -> Reason | None:
    """Why, as a code, of an act that can say so and does."""
    # By the type: a model that is asked for what it has not takes microseconds to say no.
    return cast(_Reasoned, act).data.reason if type(act) in _REASONED else None
