"""One explicit handoff, from its offer until somebody of the receiving role works on it, with every detour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.vocabulary import HandoffIntent
from streams.simulation.people import AUTO_ACCEPT, SHARED_LOGIN, Person, on_duty
from streams.simulation.plan import Plan
from streams.simulation.targets import ACCEPT_S, OPTIONAL_ELEMENTS, REQUIRED_ELEMENTS

EHR_SOURCE = "/sim/ehr"
_CONTENT_REASONS = ("missing", "missing", "wrong", "contradictory", "wrong_role")


@dataclass
class Handover:
    """A handoff from `giver` to `taker` of one work item, offered again where it has to be."""

    plan: Plan
    giver: str
    taker: str
    intent: HandoffIntent = "transfer"
    needed: bool = False
    accepted_at: list[float] = field(default_factory=list)
    offered_at: float = 0.0
    handoff_id: str = ""

    def run(self, at: float, follows: str | None = None) -> float:
        """Offer at `at` and go on until the taker has worked.

        Returns: when the taker worked. `accepted_at`, and of the last offer `offered_at` and `handoff_id`, say more.
        """
        plan, handoff_id = self.plan, f"h{self.plan.number()}"
        self.handoff_id = handoff_id
        due_s = self._offer(handoff_id, at, follows)
        if plan.maybe(0.03):
            withdrawn_at = at + plan.between(0.3, 0.8) * due_s
            self._act(withdrawn_at, "withdrawn", self.giver, handoff_id, reason="other")
            return self.run(withdrawn_at + plan.between(600, 2400), handoff_id)
        in_time = plan.draw("handoff_acceptance", self.taker, self.giver, at)
        if not in_time and plan.maybe(0.08):  # nobody ever answered: offered again, which supersedes it
            return self.run(at + plan.between(1.3, 3.0) * due_s, handoff_id)
        answered_at = at + due_s * (plan.between(0.3, 0.97) if in_time else 1.1 + plan.rng.lognormvariate(-0.3, 1.0))
        return self._answer(handoff_id, at, answered_at)

    def _offer(self, handoff_id: str, at: float, follows: str | None) -> float:
        """Returns: seconds until it is due."""
        plan = self.plan
        urgency = plan.rng.choices(("routine", "urgent", "emergent"), (6, 3, 1))[0]
        due_s = ACCEPT_S[urgency]
        offer: dict[str, Any] = {"urgency": urgency, "elements": self._elements(), "intent": self.intent}
        if follows:
            offer["follows"] = follows
        if plan.maybe(0.25):
            due_s *= plan.between(0.7, 1.5)
            offer["due_at"] = at + due_s
        if self.needed and plan.maybe(0.6):
            early = plan.draw("handoff_offer", self.giver, self.taker, at)
            offer["needed_at"] = at + (plan.between(300, 3600) if early else -plan.between(300, 3600))
        person = on_duty(plan.rng, self.giver, plan.site, at)
        self.offered_at = at
        self._send_offer(person, handoff_id, at, offer)
        if plan.maybe(0.05):  # a revision, while both the old and the new due are still to come
            revised_at, due_s = at + 0.2 * due_s, 1.4 * due_s
            self._send_offer(person, handoff_id, revised_at, {**offer, "due_at": at + due_s})
        return due_s

    def _send_offer(self, person: Person, handoff_id: str, at: float, offer: dict[str, Any]) -> None:
        self.plan.act_as(
            person,
            at,
            "handoff.offered",
            EHR_SOURCE,
            implied_due=("due_at", at + ACCEPT_S[offer["urgency"]]),
            handoff_id=handoff_id,
            from_role=self.giver,
            to_role=self.taker,
            **offer,
        )

    def _elements(self) -> dict[str, bool]:
        required = {name: self.plan.maybe(0.93) for name in REQUIRED_ELEMENTS}
        return required | {name: self.plan.maybe(0.6) for name in OPTIONAL_ELEMENTS}

    def _answer(self, handoff_id: str, offered_at: float, at: float) -> float:
        plan = self.plan
        if plan.maybe(0.05):  # machines and shared logins accept too, and it means nothing
            actor = AUTO_ACCEPT if plan.maybe(0.7) else SHARED_LOGIN
            early: dict[str, Any] = {"handoff_id": handoff_id, "role": self.taker}
            plan.act_as(actor, offered_at + 0.25 * (at - offered_at), "handoff.accepted", EHR_SOURCE, **early)
        if plan.maybe(0.02):
            self._act(at, "declined", self.taker, handoff_id, reason="capacity")
            return self.run(at + plan.between(600, 2400), handoff_id)
        accurate = plan.draw("handoff_accuracy", self.giver, self.taker, offered_at)
        if not accurate and plan.maybe(0.2):
            self._act(at, "declined", self.taker, handoff_id, reason=plan.rng.choice(_CONTENT_REASONS))
            return self.run(at + plan.between(600, 2400), handoff_id)
        return self._accept(handoff_id, offered_at, at, accurate)

    def _accept(self, handoff_id: str, offered_at: float, at: float, accurate: bool) -> float:
        plan = self.plan
        self.accepted_at.append(at)
        person = on_duty(plan.rng, self.taker, plan.site, at)
        plan.act_as(person, at, "handoff.accepted", EHR_SOURCE, handoff_id=handoff_id, role=self.taker)
        if not accurate and plan.maybe(0.25):
            return self._return(handoff_id, at, plan.rng.choice(_CONTENT_REASONS))
        if not plan.draw("handoff_advanced", self.taker, self.giver, offered_at):
            if not accurate:
                self._clarify(handoff_id, at + plan.between(60, 500), "missing")
            return self._return(handoff_id, at, plan.rng.choice(("capacity", "not_ready")))
        if not accurate:
            self._clarify(handoff_id, at + plan.between(300, 5400), plan.rng.choice(_CONTENT_REASONS))
        self._small_talk(person, handoff_id, at)
        worked_at = at + plan.between(300, 5400)
        plan.act_as(person, worked_at, "work_item.worked", EHR_SOURCE, role=self.taker)
        return worked_at

    def _return(self, handoff_id: str, accepted_at: float, reason: str) -> float:
        returned_at = accepted_at + self.plan.between(600, 3600)
        self._act(returned_at, "returned", self.taker, handoff_id, reason=reason)
        return self.run(returned_at + self.plan.between(600, 3600), handoff_id)

    def _small_talk(self, person: Person, handoff_id: str, at: float) -> None:
        """What is counted, not scored: read-backs, questions, the offerer's own corrections."""
        plan = self.plan
        if plan.maybe(0.35):
            matches = plan.maybe(0.9)
            told: dict[str, Any] = {"handoff_id": handoff_id, "role": self.taker}
            plan.act_as(person, at + 120, "handoff.read_back", EHR_SOURCE, **told, matches=matches)
            if not matches:
                self._act(at + 200, "corrected", self.giver, handoff_id, reason="wrong")
                plan.act_as(person, at + 260, "handoff.read_back", EHR_SOURCE, **told, matches=True)
        if plan.maybe(0.10):
            self._clarify(handoff_id, at + plan.between(300, 3000), None)
        if plan.maybe(0.04):
            self._act(at + plan.between(60, 1800), "corrected", self.giver, handoff_id)

    def _clarify(self, handoff_id: str, at: float, reason: str | None) -> None:
        """A question without a reason is just a question; with one it says what was wrong."""
        self._act(at, "clarification_requested", self.taker, handoff_id, **({"reason": reason} if reason else {}))
        if self.plan.maybe(0.8):
            self._act(at + self.plan.between(120, 1500), "clarified", self.giver, handoff_id)

    def _act(self, at: float, verb: str, role: str, handoff_id: str, **data: Any) -> None:
        self.plan.act(at, f"handoff.{verb}", EHR_SOURCE, role, handoff_id=handoff_id, **data)
