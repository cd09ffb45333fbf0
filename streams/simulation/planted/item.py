"""One work item that a giver hands to a taker: its handoffs, questions and problems, and what was planted in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log
from typing import Any, NamedTuple

from schemas.vocabulary import CONTENT_REASONS, RULE_DIMENSION, CommunicationDimension, Rule
from streams.simulation.people import Person
from streams.simulation.plan import Plan
from streams.simulation.planted.hours import Hours
from streams.simulation.planted.quality import PlantedQuality
from streams.simulation.planted.world import Directed, Promises, World

INTAKE = Person("intake", "system")
_REASONS = tuple(sorted(CONTENT_REASONS))
_CONSTRUCTIVE = ("act", "diagnose", "propose")
_UNCONSTRUCTIVE = ("blame", "refuse")
_SOON_S, _SHORTEST_BREAK_S, _LONGEST_BREAK_S = 120.0, 1200.0, 14400.0


class Drawn(NamedTuple):
    """One planted observation.

    Attributes:
        week: in which its episode began; 0 is the first.
        chance: the planted chance of a good outcome.
        of_person: the same for the person who communicated.
    """

    rule: Rule
    tie: Directed
    week: int
    chance: float
    of_person: float
    good: bool


@dataclass
class Item:
    """Plans one work item into `plan`. `giver` hands it to `taker`; the same two people see it through."""

    world: World
    quality: PlantedQuality
    plan: Plan
    giver: str
    taker: str
    people: dict[str, Person]
    hours: dict[str, Hours]
    drawn: list[Drawn] = field(default_factory=list)
    _leanings: dict[tuple[Directed, CommunicationDimension], float] = field(default_factory=dict)

    def run(self) -> None:
        """Everything from opened to closed, one episode after the other."""
        at = self.plan.arrived_at
        self.plan.act_as(INTAKE, at, "work_item.opened", "/planted/intake")
        at += _SOON_S
        contents = self.world.item
        kinds: tuple[tuple[int, Callable[[float], float]], ...] = (
            (contents.handoffs, self._handoff),
            (contents.questions, self._question),
            (contents.problems, self._problem),
        )
        for number in range(max(count for count, _ in kinds)):
            for count, episode in kinds:
                if number < count:
                    at = self.hours[self.giver].after(episode(at) + self._break_s(), 0.0)
        self._act(self.giver, at, "work_item.closed")

    def _handoff(self, at: float) -> float:
        """Offer, answer, whether the content was right, whether it was advanced, messages. Returns: when it is over."""
        handoff_id, target_s, settle_s = f"h{self.plan.number()}", self.world.promises.accept_s, self._promised.settle_s
        self._offer(handoff_id, at)
        self._machine(self.taker, at, "handoff.accepted", handoff_id=handoff_id)
        in_time = self._draw("handoff_acceptance", self.taker, self.giver, at)
        accepted_at = self._answered_at(self.taker, at, target_s, in_time)
        if accepted_at is None:
            return self.hours[self.taker].after(at, target_s) + settle_s
        self._act(self.taker, accepted_at, "handoff.accepted", handoff_id=handoff_id)
        if not self._draw("handoff_accuracy", self.giver, self.taker, at):
            told = {"handoff_id": handoff_id, "reason": self.plan.rng.choice(_REASONS)}
            self._act(self.taker, accepted_at + self._within(settle_s), "handoff.clarification_requested", **told)
        acted_at = accepted_at + self._within(settle_s)
        if self._draw("handoff_advanced", self.taker, self.giver, at):
            self._act(self.taker, acted_at, "work_item.worked")
        else:
            self._act(self.taker, acted_at, "handoff.returned", handoff_id=handoff_id, reason="capacity")
        self._contact(at, accepted_at, settle_s)
        return accepted_at + settle_s

    def _offer(self, handoff_id: str, at: float) -> None:
        told: dict[str, Any] = {"handoff_id": handoff_id, "from_role": self.giver, "to_role": self.taker}
        if "handoff_offer" in self.world.rules:
            early = self._draw("handoff_offer", self.giver, self.taker, at)
            told["needed_at"] = at + (1 if early else -1) * self.plan.between(600, 7200)
        source = f"/planted/{self.giver}"
        self.plan.act_as(self.people[self.giver], at, "handoff.offered", source, **told)

    def _contact(self, at: float, accepted_at: float, settle_s: float) -> None:
        """As many messages about a handoff as the band has, or too few, or too many."""
        band, rng = self.world.contact, self.plan.rng
        pair = Directed(*sorted((self.giver, self.taker)))
        if "contact" not in self.world.rules:
            return
        number = rng.randint(band.low, band.high)
        if not self._draw("contact", *pair, at):
            number = rng.randrange(band.low) if rng.random() < 0.5 else band.high + rng.randint(1, 2)
        for _ in range(number):
            sender, receiver = rng.sample((self.giver, self.taker), 2)
            self._message(sender, receiver, accepted_at + self._within(0.9 * settle_s), intent="inform")

    def _question(self, at: float) -> float:
        """The giver asks the taker. Returns: when it is over."""
        asked = self._message(self.giver, self.taker, at, intent="question", expects_reply=True)
        machine = f"m{self.plan.number()}"
        told = {"message_id": machine, "in_reply_to": asked, "to_roles": (self.giver,)}
        self._machine(self.taker, at, "communication.sent", **told)
        in_time = self._draw("reply", self.taker, self.giver, at)
        replied_at = self._answered_at(self.taker, at, self._promised.reply_s, in_time)
        if replied_at is not None:
            self._message(self.taker, self.giver, replied_at, intent="answer", in_reply_to=asked)
        return replied_at or self.hours[self.taker].after(at, self._promised.reply_s)

    def _message(self, sender: str, receiver: str, at: float, **more: Any) -> str:
        """A message that is read and perhaps reported as wrong. Returns: its id."""
        message_id = f"m{self.plan.number()}"
        self._act(sender, at, "communication.sent", message_id=message_id, to_roles=(receiver,), **more)
        if "message_accuracy" in self.world.rules:
            read_at = at + self.plan.between(20, 600)
            self._act(receiver, read_at, "communication.read", message_id=message_id)
            if not self._draw("message_accuracy", sender, receiver, at):
                wrong = {"message_id": message_id, "reported_by": receiver}
                self._act(receiver, read_at + self.plan.between(10, 900), "communication.corrected", **wrong)
        return message_id

    def _problem(self, at: float) -> float:
        """The giver raises a problem with the taker, who answers constructively, or not, or never."""
        problem_id, target_s = f"p{self.plan.number()}", self._promised.respond_s
        self._act(self.giver, at, "problem.raised", problem_id=problem_id, to_roles=(self.taker,))
        self._machine(self.taker, at, "problem.responded", problem_id=problem_id, kind="inform")
        good = self._draw("problem_response", self.taker, self.giver, at)
        due_at = self.hours[self.taker].after(at, target_s)
        if not good and self.plan.maybe(self.world.delays.unanswered):
            return due_at
        answered_at = self._answered_at(self.taker, at, target_s, True)
        assert answered_at is not None
        kind = self.plan.rng.choice(_CONSTRUCTIVE if good else _UNCONSTRUCTIVE)
        self._act(self.taker, answered_at, "problem.responded", problem_id=problem_id, kind=kind)
        self._act(self.giver, answered_at + _SOON_S, "problem.resolved", problem_id=problem_id)
        return answered_at + _SOON_S

    def _break_s(self) -> float:
        """Between two episodes: long enough that a clock some minutes off does not mix them up."""
        return self.plan.between(_SHORTEST_BREAK_S, _LONGEST_BREAK_S)

    @property
    def _promised(self) -> Promises:
        return self.world.promises

    def _within(self, seconds: float) -> float:
        return self.plan.between(0.02, 0.95) * seconds

    def _act(self, role: str, at: float, verb: str, **data: Any) -> None:
        """Somebody of a role does it, on the clock of that role's system."""
        self.plan.act_as(self.people[role], at, verb, f"/planted/{role}", role=role, **data)

    def _machine(self, role: str, at: float, verb: str, **data: Any) -> None:
        """Perhaps a machine answers first, at once; unmarked, it passes for somebody of the role."""
        bots = self.world.disturbances.bots
        if bots.share and self.plan.maybe(bots.share):
            machine = Person(f"auto@{role}", "bot" if bots.marked else "human")
            self.plan.act_as(machine, at + self.plan.between(1, 5), verb, f"/planted/{role}", role=role, **data)

    def _answered_at(self, role: str, at: float, target_s: float, in_time: bool) -> float | None:
        """When an answer comes, in open hours of the role; None: never."""
        delays, rng = self.world.delays, self.plan.rng
        if not in_time and rng.random() < delays.unanswered:
            return None
        share = 1.0
        if in_time:
            while share >= 1.0:
                share = rng.lognormvariate(log(delays.median), delays.sigma)
        else:
            share += rng.lognormvariate(log(delays.late_median), delays.late_sigma)
        return self.hours[role].after(at, share * target_s)

    def _draw(self, rule: Rule, communicator: str, experiencer: str, at: float) -> bool:
        """Decide an outcome by the tie's planted quality, and note it. What no source records goes well."""
        if rule not in self.world.rules:
            return True
        tie, dimension = Directed(communicator, experiencer), RULE_DIMENSION[rule]
        week = int((at - self.world.start_s) // (7 * 86400))
        chance, person = self.quality.chance(tie, dimension, week), self.people[communicator].name
        good = self.quality.draw(self.plan.rng, chance, person, dimension, self._leaning(tie, dimension))
        self.drawn.append(Drawn(rule, tie, week, chance, self.quality.of_person(chance, person, dimension), good))
        return good

    def _leaning(self, tie: Directed, dimension: CommunicationDimension) -> float:
        """The work item's own, the same for all its observations of one tie and dimension."""
        found = self._leanings.get((tie, dimension))
        if found is None:
            found = self._leanings[tie, dimension] = self.plan.rng.gauss(0.0, 1.0)
        return found
