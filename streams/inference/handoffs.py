"""Explicit handoffs: offers with an id of their own, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from schemas.rows import HandoffRow
from schemas.vocabulary import HandoffState, Origin
from streams.inference.due import Due, policy_due
from streams.inference.observation import refs
from streams.inference.timeline import Order, Timeline, human_of

Answer = HandoffAccepted | HandoffDeclined | HandoffReturned


@dataclass(slots=True)
class HandoffEpisode:
    """One handoff, explicit or inferred, as the rules see it.

    Attributes:
        answer: the first acceptance, decline or return by a human of the receiving role while the offer stood; for an
            inferred handoff the first work of the new owner.
        left_at: when the offer ended without an answer (withdrawn, superseded or passed on).
        work: the first work by a human of the receiver while responsible.
        onward: the next step of the chain, once the receiver gave responsibility on.
        given_back_at: when responsibility left the receiver.
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
        offer = self.start.data if isinstance(self.start, HandoffOffered) else None
        return HandoffRow(
            run=run,
            process=self.start.process,
            site=self.start.site,
            work_item=self.start.subject,
            episode_id=self.start.ref,
            event_ids=refs([self.start, *self.acts, *filter(None, (self.work, self.answer))]),
            policy_version=line.policy.version,
            handoff_id=self.handoff_id,
            from_role=self.from_role,
            to_role=self.to_role,
            origin=self.origin,
            intent=offer.intent if offer else "transfer",
            urgency=(offer.urgency or "") if offer else "",
            offered_at=self.offered_at,
            needed_at=offer.needed_at if offer else None,
            accept_due_at=self.due.at,
            accept_due_unpaused_at=self.due.unpaused_at,
            accepted_at=self.accepted_at,
            declined_at=self.declined.time if self.declined else None,
            returned_at=self.returned.time if self.returned else None,
            withdrawn_at=self.withdrawn.time if self.withdrawn else None,
            left_at=self.left_at,
            closed_at=line.closed_at,
            state=self.state,
            waited_s=self._waited_s(),
            worked=self.work is not None,
            worked_at=self.work.time if self.work else None,
            bounced=self.bounced,
            planned_return=self.planned_return,
            left_before_due=self.left_before_due,
            skewed=self.skewed,
            completeness=self.completeness,
            clarifications=self._count(HandoffClarificationRequested),
            read_backs=self._count(HandoffReadBack),
            repaired_read_backs=repaired_read_backs(self.acts),
            own_corrections=sum(
                isinstance(act, HandoffCorrected) and line.policy.role(act.data.role) == self.from_role
                for act in self.acts
            ),
            reasons=tuple(sorted({reason for reason in map(_reason, self.acts) if reason})),
        )

    def _waited_s(self) -> float | None:
        """Wall clock from offer to acceptance; null while unaccepted, 0 for an acceptance within the skew tolerance."""
        if self.accepted_at is None or self.skewed:
            return None
        return max(0.0, (self.accepted_at - self.offered_at).total_seconds())

    def _count(self, kind: type[HandoffEvent]) -> int:
        return sum(isinstance(act, kind) for act in self.acts)


def explicit_handoffs(line: Timeline) -> list[HandoffEpisode]:
    """Every explicit handoff of a work item, in the order of its offers."""
    return [_Reading(line, offer).episode() for offer in line.offers]


def repaired_read_backs(acts: Sequence[HandoffEvent]) -> int:
    """Read-backs that did not match and were then put right: the loop closed, so nothing was inaccurate."""
    repaired, broken = 0, 0
    for act in acts:
        if isinstance(act, HandoffReadBack) and not act.data.matches:
            broken += 1
        elif broken and isinstance(act, HandoffReadBack | HandoffCorrected | HandoffClarified):
            repaired, broken = repaired + broken, 0
    return repaired


def _reason(act: HandoffEvent) -> str | None:
    return getattr(act.data, "reason", None)


class _Reading:
    """Reads one offer's story from the timeline: its acts in order, and the next step of its chain."""

    def __init__(self, line: Timeline, offer: HandoffOffered) -> None:
        self.line, self.offer, self.role = line, offer, line.policy.role
        self.from_role, self.to_role = self.role(offer.data.from_role), self.role(offer.data.to_role)
        self.acts: list[HandoffEvent] = [act for act in line.handoffs[offer.data.handoff_id] if act is not offer]
        self.next = self._next_of_chain()

    def episode(self) -> HandoffEpisode:
        answer, skewed = self._answer()
        accepted = answer if isinstance(answer, HandoffAccepted) else None
        left_at, left_as = (None, None) if answer else self._left()
        found = HandoffEpisode(
            start=self.offer,
            handoff_id=self.offer.data.handoff_id,
            from_role=self.from_role,
            to_role=self.to_role,
            origin="explicit",
            state=left_as or "offered",
            due=self._due(),
            answer=answer,
            accepted_at=accepted.time if accepted else None,
            declined=answer if isinstance(answer, HandoffDeclined) else None,
            returned=answer if isinstance(answer, HandoffReturned) else None,
            withdrawn=self._withdrawn() if accepted or left_as == "withdrawn" else None,
            left_at=left_at,
            skewed=skewed,
            offerer=human_of(self.offer),
            acts=self.acts,
            completeness=self._completeness(),
        )
        if answer is not None:
            found.state = "accepted" if accepted else "declined" if found.declined else "returned"
        if accepted:
            self._read_responsibility(found, accepted)
        return found

    def _by(self, act: HandoffEvent, role: str) -> bool:
        return not isinstance(act, HandoffOffered) and self.role(act.data.role) == role

    def _answer(self) -> tuple[Answer | None, bool]:
        """The first answer by a human of the receiver while the offer stood, and whether clocks disagree too much.

        An answer stamped before its offer, within the tolerance, came at once. Beyond it the handoff is accepted, but
        when cannot be told.
        """
        earliest = self.offer.time - timedelta(seconds=self.line.policy.process.skew_tolerance_s)
        ends = self._left()[0]
        for act in self.acts:
            if isinstance(act, Answer) and self._by(act, self.to_role) and human_of(act) is not None:
                if ends is not None and act.time > ends:
                    return None, False
                return act, act.time < earliest
        return None, False

    def _left(self) -> tuple[datetime | None, HandoffState | None]:
        """When and how the offer ended without an answer, if nobody answered before."""
        ends: list[tuple[Order, HandoffState]] = []
        withdrawn = self._withdrawn()
        if withdrawn is not None:
            ends.append((withdrawn.order, "withdrawn"))
        if self.next is not None:
            by_receiver = self.role(self.next.data.from_role) == self.to_role
            ends.append((self.next.order, "passed_on" if by_receiver else "superseded"))
        if not ends:
            return None, None
        order, state = min(ends)
        return order[0], state

    def _withdrawn(self) -> HandoffWithdrawn | None:
        acts = (act for act in self.acts if isinstance(act, HandoffWithdrawn) and self._by(act, self.from_role))
        return next(acts, None)

    def _next_of_chain(self) -> HandoffOffered | None:
        """The next offer of the chain: the first later one that says it follows this, or that the receiver makes.

        Sources that never fill `follows` still pass things on. A consult is not passed on by somebody's transfer.
        """
        later = (offer for offer in self.line.offers if offer.order > self.offer.order)
        return next((offer for offer in later if self._follows(offer) or self._takes_on(offer)), None)

    def _follows(self, offer: HandoffOffered) -> bool:
        linked = offer.data.follows == self.offer.data.handoff_id
        return linked and self.role(offer.data.from_role) in (self.from_role, self.to_role)

    def _takes_on(self, offer: HandoffOffered) -> bool:
        transfers = offer.data.follows is None and offer.data.intent == self.offer.data.intent == "transfer"
        return transfers and self.from_role != self.to_role and self.role(offer.data.from_role) == self.to_role

    def _due(self) -> Due:
        """The offer's own due time, else the policy's; a revision counts only before both the old and the new due."""
        if self.offer.data.due_at is not None:
            due = Due(self.offer.data.due_at, self.offer.data.due_at)
        else:
            targets, urgency = self.line.policy.process.targets.accept_s, self.offer.data.urgency
            due = policy_due(self.offer.time, targets, urgency, self.to_role, self.line.policy, self.line.pauses)
        for act in self.acts:
            if isinstance(act, HandoffOffered) and self.role(act.data.from_role) == self.from_role:
                new = act.data.due_at
                if new is not None and act.time < new and (due.at is None or act.time < due.at):
                    due = Due(new, new)
        return due

    def _completeness(self) -> float | None:
        """Required elements present ÷ required, in what was offered until the answer; None: nothing is required."""
        required = self.line.policy.process.required_elements
        offers = [self.offer, *(act for act in self.acts if isinstance(act, HandoffOffered))]
        told = [offer.data.elements for offer in offers if offer.data.elements is not None]
        if not required or not told:
            return None
        present = {name for elements in told for name, there in elements.items() if there}
        return len(present & required) / len(required)

    def _read_responsibility(self, found: HandoffEpisode, accepted: HandoffAccepted) -> None:
        """What the receiver did with what it accepted: worked, gave back, passed on."""
        returned = next(self._returns(accepted), None)
        onward = self.next if self.next and self.role(self.next.data.from_role) == self.to_role else None
        gave = [event.order for event in (returned, onward) if event is not None]
        gone = min(gave, default=None)
        found.work = next(self._work_until(gone), None)
        found.given_back_at = gone[0] if gone else None
        to_offerer = onward is not None and self.role(onward.data.to_role) == self.from_role
        back = returned is not None or to_offerer
        found.planned_return = back and found.work is not None and found.consult
        found.bounced = back and not found.planned_return
        if returned is not None and gone == returned.order:
            found.returned, found.state = returned, "returned"
        elif found.withdrawn is not None and (found.work is None or found.withdrawn.order < found.work.order):
            found.state = "withdrawn"

    def _returns(self, accepted: HandoffAccepted) -> Iterator[HandoffReturned]:
        for act in self.acts:
            if not isinstance(act, HandoffReturned) or act.order < accepted.order:
                continue
            if self._by(act, self.to_role) and human_of(act) is not None:
                yield act

    def _work_until(self, gone: Order | None) -> Iterator[WorkItemWorked]:
        for work in self.line.work:
            responsible = work.order > self.offer.order and (gone is None or work.order < gone)
            if responsible and self.role(work.data.role) == self.to_role:
                yield work
