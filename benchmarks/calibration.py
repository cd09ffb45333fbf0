"""How often the interval of a survey's rank correlation holds the true one: `python -m benchmarks.calibration`.

Prints the table of docs/surveys.md: simulated surveys whose ties share roles, and how often the interval holds the
correlation that was put in; where that is 0, how often its lower bound is above 0 all the same. Takes some minutes.
"""

from __future__ import annotations

import math
import random

from streams.inference.calibration import RatedTie, calibration

SURVEYS = 200
SEED = 20261123
DESIGNS = ((7, 20), (7, 42), (12, 60))
SHARED = (0.0, 0.5)
"""Of the variance of both figures: what belongs to roles, half to the communicator's and half to the experiencer's."""
STRENGTHS = (0.0, 0.5, 0.8)

Both = tuple[float, float]


def spearman(strength: float) -> float:
    """Spearman's correlation of two normal figures with this product-moment correlation (Kruskal 1958)."""
    return 6 / math.pi * math.asin(strength / 2)


def simulated(rng: random.Random, roles: int, ties: int, strength: float, shared: float) -> list[RatedTie]:
    """One survey and its proxies."""

    def both() -> Both:
        one = rng.gauss(0, 1)
        return one, strength * one + math.sqrt(1 - strength**2) * rng.gauss(0, 1)

    communicators, experiencers = [both() for _ in range(roles)], [both() for _ in range(roles)]
    pairs = rng.sample([(a, b) for a in range(roles) for b in range(roles) if a != b], ties)
    of_role, own = math.sqrt(shared / 2), math.sqrt(1 - shared)
    found = []
    for a, b in pairs:
        tie = both()
        survey, proxy = (of_role * (communicators[a][i] + experiencers[b][i]) + own * tie[i] for i in (0, 1))
        found.append(RatedTie(f"{a:02}", f"{b:02}", survey, proxy))
    return found


def shares(roles: int, ties: int, strength: float, shared: float, surveys: int = SURVEYS) -> Both:
    """Of simulated surveys: how many intervals hold the true correlation, and how many lie above 0."""
    rng = random.Random(SEED)
    holds = above = 0
    for _ in range(surveys):
        found = calibration(simulated(rng, roles, ties, strength, shared))
        assert found.low is not None
        assert found.high is not None
        holds += found.low <= spearman(strength) <= found.high
        above += found.low > 0
    return holds / surveys, above / surveys


def row(roles: int, ties: int, shared: float) -> str:
    """One line of the table, in Markdown."""
    found = [shares(roles, ties, strength, shared) for strength in STRENGTHS]
    held = " | ".join(f"{holds:.0%}" for holds, _ in found)
    return f"| {roles}, {ties} | {shared:.0%} | {held} | {found[0][1]:.0%} |"


if __name__ == "__main__":
    heads = " | ".join(f"true {strength:g}" for strength in STRENGTHS)
    print(f"| roles, ties | shared | {heads} | lower bound above 0 where true is 0 |")
    print("|---|---" + "|--:" * (len(STRENGTHS) + 1) + "|")
    for part in SHARED:
        for design in DESIGNS:
            print(row(*design, part), flush=True)
