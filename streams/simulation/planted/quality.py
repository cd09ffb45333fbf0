"""How good a tie is planted to be, week by week, and how outcomes are drawn from that."""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import sqrt
from random import Random
from statistics import NormalDist

from schemas.vocabulary import CommunicationDimension
from streams.simulation.planted.world import Directed, World

_NORMAL = NormalDist()
_LOWEST, _HIGHEST = 0.01, 0.99


class Path:
    """One tie and dimension: its base value, and its AR(1) way about it."""

    def __init__(self, rng: Random, base: float, sd: float, autocorrelation: float) -> None:
        self._rng, self.base, self._sd, self._rho = rng, base, sd, autocorrelation
        self._weeks: list[float] = []

    def at(self, week: int) -> float:
        """Planted value in a week without interventions, not cut to what a chance can be."""
        while len(self._weeks) <= week:
            shock = self._rng.gauss(0.0, 1.0)
            before = self._weeks[-1] if self._weeks else None
            stationary = shock if before is None else self._rho * before + sqrt(1 - self._rho**2) * shock
            self._weeks.append(stationary)
        return self.base + self._sd * self._weeks[week]


class PlantedQuality:
    """The planted chance of a good outcome for each tie, dimension and week of a world.

    Memory: one number for each tie, dimension and week.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed
        self._paths: dict[tuple[Directed, CommunicationDimension], Path] = {}
        self._person = lru_cache(maxsize=100_000)(self._person_of)
        self.chance = lru_cache(maxsize=100_000)(self._chance)

    def draw(self, rng: Random, chance: float, person: str, dimension: CommunicationDimension, item: float) -> bool:
        """Whether it went well, given the person's and the work item's own leaning (a standard normal)."""
        mixed = sqrt(self._world.clustering.item) * item + sqrt(self._rest) * rng.gauss(0.0, 1.0)
        return self._threshold(chance) >= self._leaning(person, dimension) + mixed

    def of_person(self, chance: float, person: str, dimension: CommunicationDimension) -> float:
        """The chance of a good outcome of one person, over all work items."""
        actor = self._world.clustering.actor
        if not actor:
            return chance
        return _NORMAL.cdf((self._threshold(chance) - self._leaning(person, dimension)) / sqrt(1 - actor))

    def _chance(self, tie: Directed, dimension: CommunicationDimension, week: int) -> float:
        """The planted value. A contact's tie has its roles in alphabetical order."""
        planted = self._path(tie, dimension).at(week)
        for change in self._world.interventions:
            touched = not change.ties or tie in change.ties or (dimension == "frequency" and tie[::-1] in change.ties)
            if touched and dimension in change.dimensions and week >= change.week:
                planted += change.level + change.slope * (week - change.week)
        return min(_HIGHEST, max(_LOWEST, planted))

    def _path(self, tie: Directed, dimension: CommunicationDimension) -> Path:
        found = self._paths.get((tie, dimension))
        if found is None:
            rng = Random(f"{self._seed}/path/{tie[0]}/{tie[1]}/{dimension}")
            variation = self._world.variation
            path = Path(rng, self._base(rng, tie, dimension), variation.sd, variation.autocorrelation)
            found = self._paths[tie, dimension] = path
        return found

    def _base(self, rng: Random, tie: Directed, dimension: CommunicationDimension) -> float:
        named = self._named.get((tie, dimension))
        mean, sd = getattr(self._world.quality, dimension), self._world.quality.sd
        size = mean * (1 - mean) / sd**2 - 1 if sd else 0.0
        drawn = rng.betavariate(mean * size, (1 - mean) * size) if size > 0 else mean
        return min(_HIGHEST, max(_LOWEST, drawn if named is None else named))

    @cached_property
    def _named(self) -> dict[tuple[Directed, CommunicationDimension], float]:
        found: dict[tuple[Directed, CommunicationDimension], float] = {}
        directed: tuple[CommunicationDimension, ...] = ("timeliness", "accuracy", "problem_solving")
        for tie in self._world.ties:
            values = ((dimension, getattr(tie, dimension)) for dimension in directed)
            way = Directed(tie.communicator, tie.experiencer)
            found |= {(way, dimension): value for dimension, value in values if value is not None}
            if tie.frequency is not None:
                found[Directed(*sorted(way)), "frequency"] = tie.frequency
        return found

    @cached_property
    def _rest(self) -> float:
        return 1 - self._world.clustering.item - self._world.clustering.actor

    def _leaning(self, person: str, dimension: CommunicationDimension) -> float:
        actor = self._world.clustering.actor
        return sqrt(actor) * self._person(person, dimension) if actor else 0.0

    def _person_of(self, person: str, dimension: CommunicationDimension) -> float:
        return Random(f"{self._seed}/person/{person}/{dimension}").gauss(0.0, 1.0)

    @staticmethod
    @lru_cache(maxsize=100_000)
    def _threshold(chance: float) -> float:
        return _NORMAL.inv_cdf(chance)
