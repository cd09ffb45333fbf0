"""Explicit handoffs: offers with an id of their own, and what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.vocabulary import HandoffState
from streams.inference.acts import Act, HandoffAct, Offer
from streams.inference.chain import NEVER, Chain, Taken, first_after
from streams.inference.due import Due, policy_due
from streams.inference.handoffs import HandoffEpisode
from streams.inference.timeline import Timeline

_ANSWERS = frozenset({"accepted", "declined", "returned"})


def explicit_handoffs(line: Timeline) -> list[HandoffEpisode]:
    """Every explicit handoff of a work item, in the order of its offers."""
    if not line.offers:
        return []
    chain = Chain(line)
    readings = [_Reading(line, chain, offer) for offer in line.offers]
    chain.settle({reading.offer.handoff_id: reading.taken() for reading in readings})
    return [reading.episode() for reading in readings]


class _Reading:
    """Reads one offer's story from the timeline: its acts in order, and the next step of its chain."""

    __slots__ = (
        "acts",
        "answer",
        "chain",
        "end",
        "line",
        "offer",
        "onward",
        "returns",
        "revisions",
        "state",
        "withdrawal",
    )

    def __init__(self, line: Timeline, chain: Chain, offer: Offer) -> None:
        self.line = line
        self.chain = chain
        self.offer = offer
        self.acts: list[HandoffAct] = []
        self.revisions: list[Offer] = []
        self.returns: list[HandoffAct] = []
        self.withdrawal: HandoffAct | None = None
        self.onward = chain.next_by_receiver(offer)
        # How the offer ended without an answer, and by what; and the answer, if nothing ended it before.
        self.end: HandoffAct | None = None
        self.state: HandoffState = "offered"
        self.answer: HandoffAct | None = None
        self._read()

    def _read(self) -> None:
        offer, answer = self.offer, None
        for act in self.line.handoffs[offer.handoff_id]:
            if act is offer:
                continue
            self.acts.append(act)
            if isinstance(act, Offer):
                self.revisions.append(act)
            elif act.kind == "withdrawn":
                if self.withdrawal is None and act.role == offer.role:
                    self.withdrawal = act
            elif act.role == offer.to_role:
                if act.kind == "returned":
                    self.returns.append(act)
                if answer is None and act.kind in _ANSWERS and act.human is not None:
                    answer = act
        self._end()
        if answer is not None and (self.end is None or answer.place < self.end.place):
            self.answer, self.end, self.state = answer, None, "offered"

    def _end(self) -> None:
        """How the offer ended without an answer, if nobody answered before."""
        replaced, onward = self.chain.next_by_offerer(self.offer), self.onward
        if self.withdrawal is not None:
            self.end, self.state = self.withdrawal, "withdrawn"
        if replaced is not None and (self.end is None or replaced.place < self.end.place):
            self.end, self.state = replaced, "superseded"
        if onward is not None and (self.end is None or onward.place < self.end.place):
            self.end, self.state = onward, "passed_on"

    def taken(self) -> Taken:
        """When the receiver became responsible: it accepted, or passed on what it had not accepted in so many words."""
        offer, answer, end = self.offer, self.answer, self.end
        if answer is not None and answer.kind == "accepted":
            later = answer if answer.place > offer.place else offer
            return Taken(later.place, later.time, (offer, answer))
        if end is not None and self.state == "passed_on":
            return Taken(end.place, end.time, (offer, end))
        return NEVER

    def episode(self) -> HandoffEpisode:
        offer, answer, end = self.offer, self.answer, self.end
        found = HandoffEpisode(
            offer, offer, offer.handoff_id, offer.role, offer.to_role, self.state, self._due(), self.acts
        )
        found.offerer = offer.human
        found.completeness = self._completeness()
        if end is not None:
            found.left_at = end.time
            if self.state == "withdrawn":
                found.withdrawn = end
            else:
                found.ended_by = (end,)
        if answer is not None:
            found.answer = answer
            found.skewed = answer.time < offer.time and answer.time < self._earliest()
            self._read_answer(found, answer)
        return found

    def _read_answer(self, found: HandoffEpisode, answer: HandoffAct) -> None:
        if answer.kind == "accepted":
            found.accepted_at, found.state = answer.time, "accepted"
            self._read_responsibility(found, answer)
        elif answer.kind == "declined":
            found.declined, found.state = answer, "declined"
        else:
            found.returned, found.state = answer, "returned"

    def _earliest(self) -> datetime:
        """An answer stamped before its offer, within the tolerance, came at once. Beyond it the handoff is accepted,
        but when cannot be told."""
        return self.offer.time - timedelta(seconds=self.line.policy.process.skew_tolerance_s)

    def _due(self) -> Due:
        """The offer's own due time, else the policy's; a revision counts only before both the old and the new due."""
        offer, line = self.offer, self.line
        if offer.due_at is not None:
            due = Due(offer.due_at, offer.due_at)
        else:
            targets = line.policy.process.targets.accept_s
            due = policy_due(offer.time, targets, offer.urgency, offer.to_role, line)
        for act in self.revisions:
            new = act.due_at
            if act.role == offer.role and new is not None and act.time < new and (due.at is None or act.time < due.at):
                due = Due(new, new)
        return due

    def _completeness(self) -> float | None:
        """Required elements present ÷ required, in what was offered until the answer; None: nothing is required."""
        required = self.line.policy.process.required_elements
        if not required:
            return None
        offers = [self.offer, *[act for act in self.revisions if self._before(act)]]
        told = [offer.elements for offer in offers if offer.elements is not None]
        if not told:
            return None
        present = {name for elements in told for name, there in elements.items() if there}
        return len(present & required) / len(required)

    def _before(self, act: Act) -> bool:
        return self.answer is None or act.place < self.answer.place

    def _read_responsibility(self, found: HandoffEpisode, accepted: HandoffAct) -> None:
        """What the receiver did with what it accepted: worked, gave back, passed on."""
        returned = self._returned(accepted)
        gone = self.chain.left(self.offer)
        if returned is not None and returned.place < gone.place:
            gone = Taken(returned.place, returned.time, (returned,))
        withdrawn = self.withdrawal
        found.withdrawn = withdrawn if withdrawn is not None and withdrawn.place < gone.place else None
        found.work = self._work_until(gone.place if found.withdrawn is None else found.withdrawn.place)
        found.given_back_at = None if gone is NEVER else gone.at
        found.ended_by = gone.by
        if found.withdrawn is not None and found.work is None:
            found.state = "withdrawn"
        elif returned is not None and gone.place == returned.place:
            found.returned, found.state = returned, "returned"
        self._read_bounce(found, returned)

    def _read_bounce(self, found: HandoffEpisode, returned: HandoffAct | None) -> None:
        """Whether the receiver's next step went back to the offerer, which a worked consult was meant to."""
        onward = self.onward
        if onward is not None and onward.to_role != self.offer.role:
            onward = None
        back = onward if returned is None or (onward is not None and onward.place < returned.place) else returned
        if back is None:
            return
        found.planned_return = found.consult and found.work is not None and found.work.place < back.place
        found.bounced = not found.planned_return
        found.step_back = onward

    def _returned(self, accepted: HandoffAct) -> HandoffAct | None:
        for act in self.returns:
            if act.place > accepted.place and act.human is not None:
                return act
        return None

    def _work_until(self, gone: int) -> Act | None:
        work = self.line.work.get(self.offer.to_role)
        if work is None:
            return None
        first = first_after(work, self.offer.place)
        return work[first] if first < len(work) and work[first].place < gone else None
