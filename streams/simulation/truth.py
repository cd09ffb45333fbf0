"""What the simulation planted, tie by tie, for tests that ask whether the estimates find it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from schemas.vocabulary import RULE_DIMENSION, CommunicationDimension
from streams.simulation.people import DAY_S
from streams.simulation.plan import Plan, Planted

_RUN_ITS_COURSE_S = 3 * DAY_S


class PlantedTie(NamedTuple):
    """One tie and dimension.

    Attributes:
        n: planted observations, about as many as the inference finds ripe.
        mean: expected mean of their values, given when they began: what an estimate is to recover.
        drawn: mean of what the dice gave, without the chance in `mean`; the raw s/n should lie closest to this.
    """

    process: str
    communicator_role: str
    experiencer_role: str
    dimension: CommunicationDimension
    n: int
    mean: float
    drawn: float


def planted_ties(plans: Iterable[Plan], end: float) -> tuple[PlantedTie, ...]:
    """Sorted by process, roles and dimension. The tie of a `contact` has its roles in alphabetical order, once.

    Work items that arrived in the last three days are left out: what was planted in them is partly yet to happen.
    """
    found: dict[tuple[str, str, str, CommunicationDimension], list[Planted]] = defaultdict(list)
    for plan in plans:
        if plan.arrived_at < end - _RUN_ITS_COURSE_S:
            for each in plan.planted:
                found[plan.process, each.communicator, each.experiencer, RULE_DIMENSION[each.rule]].append(each)
    return tuple(
        PlantedTie(*tie, len(all_of), _mean([p.chance for p in all_of]), _mean([p.value for p in all_of]))
        for tie, all_of in sorted(found.items())
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
