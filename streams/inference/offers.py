"""Explicit handoffs: offers with an id of their own, and what became of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar, cast, get_args

from schemas.events import (
    HandoffAccepted,
    HandoffDeclined,
    HandoffEvent,
    HandoffOffered,
    HandoffReturned,
    HandoffWithdrawn,
    WorkItemWorked,
)
from schemas.vocabulary import HandoffState
from streams.inference.chain import NEVER, Chain, Taken
from streams.inference.due import Due, policy_due
from streams.inference.handoffs import Answer, HandoffEpisode
from streams.inference.timeline import Timeline, human_of

_ANSWERS = frozenset(get_args(Answer))
Act = TypeVar("Act", HandoffReturned, HandoffWithdrawn)


def explicit_handoffs(line: Timeline) -> list[HandoffEpisode]:
    """Every explicit handoff of a work item, in the order of its offers."""
    chain = Chain(line)
    readings = [_Reading(line, chain, offer) for offer in line.offers]
    chain.settle({reading.offer.data.handoff_id: reading.taken() for reading in readings})
    return [reading.episode() for reading in readings]


class _End(NamedTuple):
    """How an offer ended without an answer."""

    event: HandoffWithdrawn | HandoffOffered
    state: HandoffState


class _Reading:
    """Reads one offer's story from the timeline: its acts in order, and the next step of its chain."""

    def __init__(self, line: Timeline, chain: Chain, offer: HandoffOffered) -> None:
        self.line, self.chain, self.offer, self.role = line, chain, offer, line.policy.role
        self.place = line.place
        self.from_role, self.to_role = self.role(offer.data.from_role), self.role(offer.data.to_role)
        self.acts: list[HandoffEvent] = [act for act in line.handoffs[offer.data.handoff_id] if act is not offer]
        kinds = {type(act) for act in self.acts}
        self.revisions = (
            [act for act in self.acts if isinstance(act, HandoffOffered)] if HandoffOffered in kinds else []
        )
        self.withdrawal = next(self._of(HandoffWithdrawn, self.from_role), None) if HandoffWithdrawn in kinds else None
        self.returns = [*self._of(HandoffReturned, self.to_role)] if HandoffReturned in kinds else []
        self.onward = chain.next_by_receiver(offer)
        end = self._end()
        self.answer = self._answer(end)
        self.end = None if self.answer else end

    def taken(self) -> Taken:
        """When the receiver became responsible: it accepted, or passed on what it had not accepted in so many words."""
        if isinstance(self.answer, HandoffAccepted):
            later = max(self.answer, self.offer, key=self.place)
            return Taken(self.place(later), later.time, (self.offer, self.answer))
        if self.end is not None and self.end.state == "passed_on":
            return Taken(self.place(self.end.event), self.end.event.time, (self.offer, self.end.event))
        return NEVER

    def episode(self) -> HandoffEpisode:
        answer, end = self.answer, self.end
        found = HandoffEpisode(
            start=self.offer,
            handoff_id=self.offer.data.handoff_id,
            from_role=self.from_role,
            to_role=self.to_role,
            origin="explicit",
            state=end.state if end else "offered",
            due=self._due(),
            answer=answer,
            accepted_at=answer.time if isinstance(answer, HandoffAccepted) else None,
            declined=answer if isinstance(answer, HandoffDeclined) else None,
            returned=answer if isinstance(answer, HandoffReturned) else None,
            withdrawn=end.event if end and isinstance(end.event, HandoffWithdrawn) else None,
            left_at=end.event.time if end else None,
            ended_by=(end.event,) if end and isinstance(end.event, HandoffOffered) else (),
            skewed=answer is not None and answer.time < self.offer.time and answer.time < self._earliest(),
            offerer=human_of(self.offer),
            acts=self.acts,
            completeness=self._completeness(),
        )
        if isinstance(answer, HandoffAccepted):
            found.state = "accepted"
            self._read_responsibility(found, answer)
        elif answer is not None:
            found.state = "declined" if found.declined else "returned"
        return found

    def _of(self, kind: type[Act], role: str) -> Iterator[Act]:
        """The acts of one kind by one role."""
        for act in self.acts:
            if isinstance(act, kind) and self.role(act.data.role) == role:
                yield act

    def _earliest(self) -> datetime:
        """An answer stamped before its offer, within the tolerance, came at once. Beyond it the handoff is accepted,
        but when cannot be told."""
        return self.offer.time - timedelta(seconds=self.line.policy.process.skew_tolerance_s)

    def _answer(self, end: _End | None) -> Answer | None:
        """The first answer by a human of the receiver while the offer stood."""
        for act in self.acts:
            if type(act) in _ANSWERS and self.role(cast(Answer, act).data.role) == self.to_role and human_of(act):
                return cast(Answer, act) if end is None or self.place(act) < self.place(end.event) else None
        return None

    def _end(self) -> _End | None:
        """How the offer ended without an answer, if nobody answered before."""
        replaced = self.chain.next_by_offerer(self.offer)
        if self.withdrawal is None and replaced is None and self.onward is None:
            return None
        ends = [
            *([_End(self.withdrawal, "withdrawn")] if self.withdrawal else []),
            *([_End(replaced, "superseded")] if replaced else []),
            *([_End(self.onward, "passed_on")] if self.onward else []),
        ]
        return min(ends, key=lambda end: self.place(end.event))

    def _due(self) -> Due:
        """The offer's own due time, else the policy's; a revision counts only before both the old and the new due."""
        if self.offer.data.due_at is not None:
            due = Due(self.offer.data.due_at, self.offer.data.due_at)
        else:
            targets, urgency = self.line.policy.process.targets.accept_s, self.offer.data.urgency
            due = policy_due(self.offer.time, targets, urgency, self.to_role, self.line.policy, self.line.pauses)
        for act in self.revisions:
            if self.role(act.data.from_role) == self.from_role:
                new = act.data.due_at
                if new is not None and act.time < new and (due.at is None or act.time < due.at):
                    due = Due(new, new)
        return due

    def _completeness(self) -> float | None:
        """Required elements present ÷ required, in what was offered until the answer; None: nothing is required."""
        required = self.line.policy.process.required_elements
        if not required:
            return None
        offers = [self.offer, *(act for act in self.revisions if self._before(act))] if self.revisions else [self.offer]
        told = [offer.data.elements for offer in offers if offer.data.elements is not None]
        if not told:
            return None
        present = {name for elements in told for name, there in elements.items() if there}
        return len(present & required) / len(required)

    def _before(self, act: HandoffEvent) -> bool:
        return self.answer is None or self.place(act) < self.place(self.answer)

    def _read_responsibility(self, found: HandoffEpisode, accepted: HandoffAccepted) -> None:
        """What the receiver did with what it accepted: worked, gave back, passed on."""
        returned = self._returned(accepted)
        gone = self.chain.left(self.offer)
        if returned is not None and self.place(returned) < gone.place:
            gone = Taken(self.place(returned), returned.time, (returned,))
        withdrawn = self.withdrawal
        found.withdrawn = withdrawn if withdrawn and self.place(withdrawn) < gone.place else None
        found.work = self._work_until(self.place(found.withdrawn) if found.withdrawn else gone.place)
        found.given_back_at = None if gone is NEVER else gone.at
        found.ended_by = gone.by
        if found.withdrawn and not found.work:
            found.state = "withdrawn"
        elif returned is not None and gone.place == self.place(returned):
            found.returned, found.state = returned, "returned"
        self._read_bounce(found, returned)

    def _read_bounce(self, found: HandoffEpisode, returned: HandoffReturned | None) -> None:
        """Whether the receiver's next step went back to the offerer, which a worked consult was meant to."""
        onward = self.onward if self.onward and self.role(self.onward.data.to_role) == self.from_role else None
        back = min((self.place(step) for step in (returned, onward) if step), default=None)
        if back is None:
            return
        found.planned_return = found.consult and found.work is not None and self.place(found.work) < back
        found.bounced = not found.planned_return
        found.step_back = onward

    def _returned(self, accepted: HandoffAccepted) -> HandoffReturned | None:
        for act in self.returns:
            if self.place(act) > self.place(accepted) and human_of(act) is not None:
                return act
        return None

    def _work_until(self, gone: int) -> WorkItemWorked | None:
        work = self.line.work.get(self.to_role, ())
        first = bisect_right(work, self.place(self.offer), key=self.place)
        return work[first] if first < len(work) and self.place(work[first]) < gone else None
