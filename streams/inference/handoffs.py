"""A handoff as the rules see it, explicit or inferred, and its row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, HandoffRow
from schemas.vocabulary import HandoffState, Origin
from streams.inference.acts import Act, HandoffAct, Offer
from streams.inference.due import Due
from streams.inference.timeline import Timeline

_NAMED = set(HandoffRow.model_fields) - UNSAID
_REPAIRING = frozenset({"read_back", "corrected", "clarified"})


class HandoffEpisode:
    """One handoff, explicit or inferred, as the rules see it.

    Attributes:
        start: the event that starts it; `offer` is the same for an explicit handoff, None for an inferred one.
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

    __slots__ = (
        "accepted_at",
        "acts",
        "answer",
        "bounced",
        "completeness",
        "declined",
        "due",
        "ended_by",
        "from_role",
        "given_back_at",
        "handoff_id",
        "left_at",
        "offer",
        "offerer",
        "planned_return",
        "returned",
        "skewed",
        "start",
        "state",
        "step_back",
        "to_role",
        "withdrawn",
        "work",
    )

    def __init__(
        self,
        start: Act,
        offer: Offer | None,
        handoff_id: str,
        from_role: str,
        to_role: str,
        state: HandoffState,
        due: Due,
        acts: list[HandoffAct],
    ) -> None:
        self.start = start
        self.offer = offer
        self.handoff_id = handoff_id
        self.from_role = from_role
        self.to_role = to_role
        self.state: HandoffState = state
        self.due = due
        self.acts = acts
        self.answer: Act | None = None
        self.accepted_at: datetime | None = None
        self.declined: HandoffAct | None = None
        self.returned: HandoffAct | None = None
        self.withdrawn: HandoffAct | None = None
        self.left_at: datetime | None = None
        self.work: Act | None = None
        self.given_back_at: datetime | None = None
        self.ended_by: tuple[Act, ...] = ()
        self.step_back: Offer | None = None
        self.bounced = False
        self.planned_return = False
        self.skewed = False
        self.offerer: str | None = None
        self.completeness: float | None = None

    @property
    def origin(self) -> Origin:
        """Whether somebody said so, or ownership was seen to change."""
        return "inferred" if self.offer is None else "explicit"

    @property
    def consult(self) -> bool:
        """Whether it asks for advice and means to come back."""
        return self.offer is not None and self.offer.intent == "consult"

    @property
    def left_before_due(self) -> bool:
        """Withdrawn, superseded or passed on while still in time: neither timely nor late."""
        return self.left_at is not None and self.due.at is not None and self.left_at <= self.due.at

    def row(self, run: str, line: Timeline) -> HandoffRow:
        """As a row of `handoffs`."""
        start, offer, due, acts, work = self.start, self.offer, self.due, self.acts, self.work
        declined, returned, withdrawn = self.declined, self.returned, self.withdrawn
        values: dict[str, Any] = {
            "event_ids": line.refs(start, self._shown_by()),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "run": run,
            "process": line.process,
            "site": start.site,
            "work_item": line.work_item,
            "episode_id": start.ref,
            "handoff_id": self.handoff_id,
            "from_role": self.from_role,
            "to_role": self.to_role,
            "origin": self.origin,
            "intent": "transfer" if offer is None else offer.intent,
            "urgency": "" if offer is None else offer.urgency or "",
            "offered_at": start.time,
            "needed_at": None if offer is None else offer.needed_at,
            "accept_due_at": due.at,
            "accept_due_unpaused_at": due.unpaused_at,
            "accepted_at": self.accepted_at,
            "declined_at": None if declined is None else declined.time,
            "returned_at": None if returned is None else returned.time,
            "withdrawn_at": None if withdrawn is None else withdrawn.time,
            "left_at": self.left_at,
            "closed_at": line.closed_at,
            "state": self.state,
            "waited_s": self._waited_s(),
            "worked": work is not None,
            "worked_at": None if work is None else work.time,
            "bounced": self.bounced,
            "planned_return": self.planned_return,
            "left_before_due": self.left_before_due,
            "skewed": self.skewed,
            "completeness": self.completeness,
            "clarifications": 0,
            "read_backs": 0,
            "repaired_read_backs": 0,
            "own_corrections": 0,
            "reasons": (),
        }
        if acts:
            self._count(values)
        return made(HandoffRow, values, _NAMED)

    def _shown_by(self) -> Sequence[Act]:
        shown: list[Act] = [*self.acts, *self.ended_by]
        for act in (self.step_back, self.work, self.answer):
            if act is not None:
                shown.append(act)
        return shown

    def _count(self, values: dict[str, Any]) -> None:
        """What was asked and put right about it."""
        clarifications, read_backs, own_corrections = 0, 0, 0
        reasons: set[str] = set()
        for act in self.acts:
            if act.reason is not None:
                reasons.add(act.reason)
            if act.kind == "clarification_requested":
                clarifications += 1
            elif act.kind == "read_back":
                read_backs += 1
            elif act.kind == "corrected" and act.role == self.from_role:
                own_corrections += 1
        values["clarifications"] = clarifications
        values["own_corrections"] = own_corrections
        if read_backs:
            values["read_backs"], values["repaired_read_backs"] = read_backs, repaired_read_backs(self.acts)
        if reasons:
            values["reasons"] = tuple(sorted(reasons))

    def _waited_s(self) -> float | None:
        """Wall clock from offer to acceptance; null while unaccepted, 0 for an acceptance within the skew tolerance."""
        if self.accepted_at is None or self.skewed:
            return None
        return max(0.0, (self.accepted_at - self.start.time).total_seconds())


def repaired_read_backs(acts: Sequence[HandoffAct]) -> int:
    """Read-backs that did not match and were then put right: the loop closed, so nothing was inaccurate."""
    repaired, broken = 0, 0
    for act in acts:
        if act.kind == "read_back" and not act.matches:
            broken += 1
        elif broken and act.kind in _REPAIRING:
            repaired, broken = repaired + broken, 0
    return repaired
