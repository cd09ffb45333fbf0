"""Do 90 % intervals hold the truth that often? The grid of `benchmarks.coverage`, and one with people who differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from benchmarks.coverage import KS, MS, MUS, Cell, check_rendering, covered, estimates, grid, priors
from benchmarks.validity.study import Found, Plan, Study, Verdict, percent, prose, table

SEED = 200
LOWEST, HIGHEST, ELSEWHERE = 0.88, 0.92, 0.85
_ITEMS_PUBLISHED = 10
Array = Any


class People(NamedTuple):
    """A cell in which people differ: `people` on the communicator's side, their rates Beta, of ICC `actor_icc`.

    `k` ties of `items` work items with `per_item` observations each, of one person; items of a person differ by `icc`.
    """

    people: int
    actor_icc: float
    per_item: int
    icc: float
    items: int
    mu: float
    k: int


PEOPLE = tuple(
    People(people, actor_icc, per_item, icc, items, mu, k)
    for people, actor_icc, (per_item, icc), items, mu, k in product(
        (5, 12), (0.02, 0.05, 0.1), ((1, 0.0), (4, 0.3)), (20, 60), (0.5, 0.8, 0.9), (6, 12, 40)
    )
)
M = 20
_PEOPLE_HEAD = ["people", "actor ICC", "per item, ICC", "items", "K", "μ .5", ".8", ".9", "role, μ .5", ".8", ".9"]


def run(plan: Plan) -> Found:
    """Shares of ties covered in every cell of both grids."""
    check_rendering()
    cells = list(grid()) if not plan.quick else list(grid())[::97]
    found = []
    for number, cell in enumerate(cells):
        if number % 84 == 0:
            plan.say(f"coverage: cell {number} of {len(cells)}")
        share = covered(cell, plan.pick(40_000, 400))[0]
        key = [cell.per_item, cell.icc, cell.n, cell.mu, cell.m, cell.k]
        found.append({"cell": key, "share": round(share.share, 4), "error": round(share.error, 4)})
    people = []
    for number, one in enumerate(PEOPLE if not plan.quick else PEOPLE[::40]):
        if number % 72 == 0:
            plan.say(f"coverage: people who differ, cell {number} of {len(PEOPLE)}")
        people.append({"cell": list(one), **_with_people(one, plan.pick(20_000, 400))})
    return {"seed": SEED, "ties": plan.pick(40_000, 400), "grid": found, "people": people}


def _with_people(cell: People, ties: int) -> dict[str, float]:
    """Share covered: of the rate of these people in this period, as they shared the work, and of the long-run rate."""
    replicates = max(100, ties // cell.k)
    rng = np.random.default_rng([SEED, *(round(100 * value) for value in cell)])
    theta = np.clip(rng.beta(cell.mu * M, (1 - cell.mu) * M, (replicates, cell.k)), 1e-6, 1 - 1e-6)
    rates = _around(rng, theta[..., None], cell.actor_icc, cell.people)
    who = rng.integers(cell.people, size=(replicates, cell.k, cell.items))
    theirs = np.take_along_axis(rates, who, axis=2)
    chances = _around(rng, theirs, cell.icc) if cell.icc else theirs
    s_w = rng.binomial(cell.per_item, chances).astype(float)
    s, items = s_w.sum(axis=2), np.full(theta.shape, float(cell.items))
    n = items * cell.per_item
    sums = (s, n, items, (s_w * s_w).sum(axis=2), s * cell.per_item, n * cell.per_item)
    with np.errstate(all="ignore"):
        _, low, high, _ = estimates(s, n, *priors(*sums))
    these, role = ((low <= truth) & (truth <= high) for truth in (theirs.mean(axis=2), theta))
    spread = these.mean(axis=1).std(ddof=1) / replicates**0.5
    return {"these": float(these.mean()), "role": float(role.mean()), "error": float(spread)}


def _around(rng: np.random.Generator, mean: Array, icc: float, number: int = 0) -> Array:
    """Beta rates about `mean` with that intra-class correlation, `number` of them in a new last axis, if not 0."""
    size = 1 / icc - 1
    shape = (*mean.shape[:-1], number) if number else mean.shape
    return np.clip(rng.beta(np.maximum(mean * size, 1e-9), np.maximum((1 - mean) * size, 1e-9), shape), 1e-9, 1 - 1e-9)


def _cells(found: Found) -> Iterator[tuple[Cell, float, bool]]:
    """Cell, share, whether a tie like that could be shown."""
    for row in found["grid"]:
        per_item, icc, n, mu, m, k = row["cell"]
        cell = Cell(per_item, icc, n, mu, m, k)
        yield cell, row["share"], cell.items >= _ITEMS_PUBLISHED


def _inside(found: Found, *, strict: bool) -> tuple[int, int, float, float]:
    """Of published cells of one promise: inside, all, lowest, highest."""
    promised = (LOWEST, HIGHEST) if strict else (ELSEWHERE, 1.0)
    shares = [share for cell, share, shown in _cells(found) if shown and (cell.promised == promised)]
    inside = sum(promised[0] <= round(share, 3) <= promised[1] for share in shares)
    return inside, len(shares), min(shares, default=np.nan), max(shares, default=np.nan)


def verdicts(found: Found) -> list[Verdict]:
    """METHOD's two promises over published cells, and the first with people who differ."""
    verdicts = []
    for strict, name in ((True, "88 to 92 %: μ .5 to .9, K ≥ 5, n ≥ 10"), (False, "at least 85 % elsewhere")):
        inside, cells, lowest, highest = _inside(found, strict=strict)
        span = f"{percent(lowest)} to {percent(highest)} %"
        verdicts.append(Verdict(f"coverage {name}", f"{inside} of {cells} cells; {span}", inside == cells))
    these = [row["these"] for row in found["people"]]
    inside = sum(map(_within, these))
    span = f"{percent(min(these))} to {percent(max(these))} %"
    said = f"{inside} of {len(these)} cells; {span}"
    return [*verdicts, Verdict("coverage 88 to 92 % of these people, who differ", said, inside == len(these))]


def section(found: Found) -> str:
    inside = [
        [
            f"{'88 to 92 %' if low == LOWEST else 'at least 85 %'}",
            f"m {m}",
            str(len(shares)),
            str(sum(low <= round(s, 3) <= high for s in shares)),
            percent(min(shares)),
            percent(max(shares)),
        ]
        for (low, high), m in product(((LOWEST, HIGHEST), (ELSEWHERE, 1.0)), MS)
        for shares in [
            [s for cell, s, shown in _cells(found) if shown and cell.promised == (low, high) and cell.m == m]
        ]
        if shares
    ]
    error = percent(max(row["error"] for row in found["people"]), 2)
    return prose(
        "coverage",
        ties=found["ties"],
        cells=len(found["grid"]),
        inside=table(["promise", "ties differ", "cells", "inside", "lowest", "highest"], inside, 2),
        m=M,
        error=error,
        people=table(_PEOPLE_HEAD, list(_people_rows(found)), 5),
    )


def _people_rows(found: Found) -> Iterator[list[str]]:
    """A row for each kind of people and work; a column for each target and μ."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in found["people"]:
        one = People(*row["cell"])
        groups.setdefault((one.people, one.actor_icc, one.per_item, one.icc, one.items, one.k), []).append(row)
    for (people, actor_icc, per_item, icc, items, k), rows in groups.items():
        figures = [percent(row["these"]) for row in rows]
        marked = [text if _within(row["these"]) else f"**{text}**" for text, row in zip(figures, rows, strict=True)]
        role = [percent(row["role"]) for row in rows]
        yield [str(people), f"{actor_icc:g}", f"{per_item}, {icc:g}", str(items), str(k), *marked, *role]


def _within(share: float) -> bool:
    return LOWEST <= round(share, 3) <= HIGHEST


def draw(found: Found, figure: Figure) -> None:
    """Every published cell by K, a panel for each m."""
    for axes, m in zip(figure.subplots(1, len(MS), sharey=True), MS, strict=True):
        axes.axhspan(100 * LOWEST, 100 * HIGHEST, color="0.92")
        for mu, mark in zip(MUS, ("o", "s", "^", "x"), strict=True):
            cells = [(cell, share) for cell, share, shown in _cells(found) if shown and cell.m == m and cell.mu == mu]
            places = [KS.index(cell.k) + (MUS.index(mu) - 1.5) * 0.16 for cell, _ in cells]
            axes.plot(places, [100 * share for _, share in cells], mark, markersize=3, label=f"{mu:g}")
        axes.set_xticks(range(len(KS)), [str(k) for k in KS])
        axes.set(title=f"m {m}", xlabel="K, ties")
    figure.axes[0].set_ylabel("percent of ties covered")
    figure.axes[0].legend(title="μ")


COVERAGE = Study(
    "coverage",
    "Do 90 % intervals cover 90 %?",
    run,
    verdicts,
    section,
    {"validity-coverage.svg": draw},
)
