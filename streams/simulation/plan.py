"""The plan of one work item: everything that will happen to it, with what was planted on the way."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from schemas.vocabulary import Rule
from streams.simulation.character import likelihood
from streams.simulation.people import Person, on_duty


class Step(NamedTuple):
    """One event to come. Times are seconds since 1970, also those in `data` whose field ends in `_at` or `_by`."""

    at: float
    verb: str
    source: str
    actor: Person | None
    data: dict[str, Any]
    implied_due: tuple[str, float] | None = None
    """Field and time of a due time that the event leaves to the policy. Where time runs faster than the policy's, the
    event has to say it."""


class Planted(NamedTuple):
    """One observation that the inference is to find again: its chance, and how the die fell."""

    rule: Rule
    communicator: str
    experiencer: str
    chance: float
    value: float


class Plan:
    """A work item in the making. The same seed and subject always make the same plan."""

    def __init__(self, seed: int, process: str, subject: str, site: str, arrived_at: float) -> None:
        self.process, self.subject, self.site, self.arrived_at = process, subject, site, arrived_at
        self.rng = Random(f"{seed}/{process}/{subject}")
        self.steps: list[Step] = []
        self.planted: list[Planted] = []
        self._numbers = 0

    def number(self) -> int:
        """1, 2, 3, …: for ids of handoffs, messages and problems within this work item."""
        self._numbers += 1
        return self._numbers

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def between(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def act(self, at: float, verb: str, source: str, role: str, **data: Any) -> None:
        """Somebody of `role` who is on duty does it."""
        self.steps.append(Step(at, verb, source, on_duty(self.rng, role, self.site, at), {"role": role, **data}))

    def act_as(
        self,
        person: Person | None,
        at: float,
        verb: str,
        source: str,
        implied_due: tuple[str, float] | None = None,
        **data: Any,
    ) -> None:
        """A named actor does it, such as the person who was asked, or a bot."""
        self.steps.append(Step(at, verb, source, person, data, implied_due))

    def draw(self, rule: Rule, communicator: str, experiencer: str, at: float) -> bool:
        """Decide an outcome by the tie's planted character, and remember what was planted."""
        chance = likelihood(rule, self.process, communicator, experiencer, at)
        good = self.maybe(chance)
        self.plant(rule, communicator, experiencer, chance, float(good))
        return good

    def plant(self, rule: Rule, communicator: str, experiencer: str, chance: float, value: float) -> None:
        self.planted.append(Planted(rule, communicator, experiencer, chance, value))

    def last_at(self) -> float:
        return max(step.at for step in self.steps)

    def in_order(self) -> list[Step]:
        """The steps by time; those of one instant in the order in which they were planned."""
        return sorted(self.steps, key=lambda step: step.at)
