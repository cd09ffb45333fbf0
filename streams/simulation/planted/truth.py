"""What was planted and what the dice then gave, for each tie, dimension and week: beside the log, never in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from schemas.vocabulary import RULE_DIMENSION
from streams.simulation.planted.item import Drawn
from streams.simulation.planted.world import World

_Key = tuple[str, str, str, int]


class Truth:
    """Adds up planted observations. Memory: five numbers for each tie, dimension and week."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed
        self._sums: dict[_Key, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])

    def add(self, drawn: Iterable[Drawn]) -> None:
        """Take in what was planted in one work item."""
        for one in drawn:
            sums = self._sums[one.tie.communicator, one.tie.experiencer, RULE_DIMENSION[one.rule], one.week]
            for place, value in enumerate((1.0, one.chance, one.of_person, float(one.good))):
                sums[place] += value

    def means(self) -> dict[tuple[str, str, str], tuple[float, float, float, float]]:
        """(communicator, experiencer, dimension) to n, planted, of these people, drawn: means over all weeks."""
        totals: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
        for (communicator, experiencer, dimension, _), sums in self._sums.items():
            total = totals[communicator, experiencer, dimension]
            for place, value in enumerate(sums):
                total[place] += value
        return {tie: (sums[0], sums[1] / sums[0], sums[2] / sums[0], sums[3] / sums[0]) for tie, sums in totals.items()}

    def document(self) -> dict[str, Any]:
        """As JSON: the world, the seed, and for each tie and dimension its weeks.

        `planted` is the mean chance of a good outcome, `these_people` the same for the people who happened to act,
        `drawn` the share that went well before any disturbance of the log; n observations.
        """
        ties: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for (communicator, experiencer, dimension, week), sums in sorted(self._sums.items()):
            ties[communicator, experiencer, dimension].append({"period_start": self._monday(week), **_figures(sums)})
        means = self.means()
        return {
            "seed": self._seed,
            "world": self._world.model_dump(mode="json"),
            "ties": [
                {
                    **dict(zip(("communicator_role", "experiencer_role", "dimension"), tie, strict=True)),
                    **_figures([means[tie][0], *(means[tie][0] * value for value in means[tie][1:])]),
                    "weeks": weeks,
                }
                for tie, weeks in sorted(ties.items())
            ],
        }

    def _monday(self, week: int) -> str:
        return (self._world.start + timedelta(weeks=week)).isoformat()


def _figures(sums: list[float]) -> dict[str, float]:
    n, *totals = sums
    means = (round(total / n, 6) for total in totals)
    return {"n": int(n), **dict(zip(("planted", "these_people", "drawn"), means, strict=True))}
