"""How often the 90 % interval of a tie holds the rate the tie was simulated with: every cell of a grid, misses too.

Run: `python -m benchmarks.coverage` prints the grid; `--write docs/method/coverage.md` writes it down as well.
The formulas are the product's own, rendered a third time, for numpy arrays of shape (replicates, ties); before the grid
runs, that rendering is checked against `streams.inference.estimate`.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from schemas.method.expression import Dialect, render
from schemas.method.formula import Formula
from schemas.method.tie import estimate_formula, plus_half_factor, prior_formula
from streams.inference.estimate import Prior, TieSums, estimate, prior

SEED = 20261123
KS = (3, 5, 6, 12, 40, 200, 2000)
MUS = (0.5, 0.8, 0.9, 0.95)
MS = (5, 20, 100)
NS = (10, 20, 40, 60)
CLUSTERINGS = ((1, 0.0), (4, 0.0), (4, 0.3))
Array = Any

_TEMPLATES = {
    **{operation: f"({{0}} {operation} {{1}})" for operation in ("+", "-", "*", "/", "<", ">")},
    **{"min": "minimum({0}, {1})", "max": "maximum({0}, {1})", "if": "where({0}, {1}, {2})"},
    **{"exp": "exp({0})", "log": "log({0})", "sqrt": "sqrt({0})"},
}


@dataclass(frozen=True)
class Cell:
    """`k` ties of `n` observations, `per_item` to a work item with intra-class correlation `icc`; rates of the ties
    are Beta with mean `mu` and size `m`."""

    per_item: int
    icc: float
    n: int
    mu: float
    m: int
    k: int

    @property
    def items(self) -> int:
        return self.observations // self.per_item

    @property
    def observations(self) -> int:
        """Rounded up to whole items."""
        return -(-self.n // self.per_item) * self.per_item

    @property
    def promised(self) -> tuple[float, float]:
        if self.mu <= 0.9 and self.k >= 5:
            return 0.88, 0.92
        return 0.85, 1.0


@dataclass(frozen=True)
class Coverage:
    """Share of ties covered, with its standard error over replicates (ties of one replicate share their prior)."""

    share: float
    error: float


def vectorised(formula: Formula) -> Callable[..., tuple[Array, ...]]:
    dialect = Dialect(str, _TEMPLATES, lambda _, text: f"sum({text}, axis=1, keepdims=True)")
    lines = [f"{step} = {render(expression, dialect)}" for step, expression in formula.steps.items()]
    body = "\n    ".join([*lines, f"return {', '.join(formula.outputs.values())},"])
    scope = {name: getattr(np, name) for name in ("minimum", "maximum", "where", "exp", "log", "sqrt", "sum")}
    exec(f"def formula({', '.join(formula.inputs)}):\n    {body}", scope)  # text of our own formulas
    function: Callable[..., tuple[Array, ...]] = scope["formula"]
    return function


priors, estimates = vectorised(prior_formula()), vectorised(estimate_formula())
first_priors = vectorised(prior_formula(plus_half_factor))


def simulated(cell: Cell, replicates: int, rng: np.random.Generator) -> tuple[Array, tuple[Array, ...]]:
    """Planted rates, and the six sums per tie that the store keeps; each of shape (replicates, ties)."""
    theta = rng.beta(cell.mu * cell.m, (1 - cell.mu) * cell.m, (replicates, cell.k))
    theta = np.clip(theta, 1e-12, 1 - 1e-12)
    per_item = theta[..., None]
    if cell.icc:
        size = 1 / cell.icc - 1
        per_item = rng.beta(per_item * size, (1 - per_item) * size, (replicates, cell.k, cell.items))
    s_w = rng.binomial(cell.per_item, per_item, (replicates, cell.k, cell.items)).astype(float)
    s = s_w.sum(axis=2)
    n = np.full_like(s, cell.observations)
    items = np.full_like(s, cell.items)
    return theta, (s, n, items, (s_w * s_w).sum(axis=2), s * cell.per_item, n * cell.per_item)


def covered(cell: Cell, ties: int) -> tuple[Coverage, Coverage]:
    """With the product's variance factor, and with the one first measured, on the same ties."""
    replicates = max(100, ties // cell.k)
    seeds = [SEED, cell.per_item, round(cell.icc * 100), cell.n, round(cell.mu * 100), cell.m, cell.k]
    theta, sums = simulated(cell, replicates, np.random.default_rng(seeds))
    return _share(theta, sums, priors), _share(theta, sums, first_priors)


def _share(theta: Array, sums: tuple[Array, ...], common: Callable[..., tuple[Array, ...]]) -> Coverage:
    with np.errstate(all="ignore"):
        _, low, high, _ = estimates(*sums[:2], *common(*sums))
    shares = ((low <= theta) & (theta <= high)).mean(axis=1)
    return Coverage(float(shares.mean()), float(shares.std(ddof=1) / len(shares) ** 0.5))


def check_rendering() -> None:
    """The numpy rendering and the product's give the same figures on one replicate."""
    _, sums = simulated(Cell(4, 0.3, 40, 0.8, 20, 12), 1, np.random.default_rng(SEED))
    with np.errstate(all="ignore"):
        found_prior = priors(*sums)
        found = estimates(*sums[:2], *found_prior)
    ties = [TieSums(*(float(column[0, tie]) for column in sums)) for tie in range(12)]
    common = prior(ties)
    np.testing.assert_allclose([float(column[0, 0]) for column in found_prior], common, rtol=1e-12)
    for tie, sum_ in enumerate(ties):
        expected = estimate(Prior(*common), sum_.s, sum_.n)
        np.testing.assert_allclose([float(column[0, tie]) for column in found], expected, rtol=1e-12)


def grid() -> Iterator[Cell]:
    for (per_item, icc), n, mu, m, k in itertools.product(CLUSTERINGS, NS, MUS, MS, KS):
        yield Cell(per_item, icc, n, mu, m, k)


def missed(cell: Cell, found: Coverage) -> bool:
    low, high = cell.promised
    return not low <= round(found.share, 3) <= high


def page(found: dict[Cell, Coverage], first: dict[Cell, Coverage], ties: int) -> str:
    parts = [_summary(found, first, ties)]
    for (per_item, icc), n in itertools.product(CLUSTERINGS, NS):
        one = Cell(per_item, icc, n, MUS[0], MS[0], KS[0])
        kind = "independent" if per_item == 1 else f"{per_item} per work item, ICC {icc:g}"
        parts.append(f"## {one.observations} observations, {kind}\n\n{_few_items(one)}{_table(found, one)}")
    return "\n\n".join(parts) + "\n"


def _few_items(cell: Cell) -> str:
    return "" if cell.items >= 10 else f"{cell.items} work items: below the 10 that a published figure needs.\n\n"


def _table(found: dict[Cell, Coverage], one: Cell) -> str:
    lines = ["| μ | m | " + " | ".join(f"K {k}" for k in KS) + " |", "|--:|--:|" + "--:|" * len(KS)]
    for mu, m in itertools.product(MUS, MS):
        cells = [Cell(one.per_item, one.icc, one.n, mu, m, k) for k in KS]
        lines.append(f"| {mu:g} | {m} | " + " | ".join(_figure(cell, found[cell]) for cell in cells) + " |")
    return "\n".join(lines)


def _figure(cell: Cell, found: Coverage) -> str:
    percent = f"{100 * found.share:.1f}"
    return f"**{percent}**" if missed(cell, found) else percent


def _within_promises(found: dict[Cell, Coverage]) -> Iterator[str]:
    for fewest, low in itertools.product((10, 0), (0.88, 0.85)):
        part = {cell: at for cell, at in found.items() if cell.promised[0] == low and cell.items >= fewest}
        inside = sum(not missed(cell, at) for cell, at in part.items())
        shares = [100 * at.share for at in part.values()]
        promise = "88 to 92 %: μ .5 to .9, K ≥ 5" if low == 0.88 else "at least 85 %: elsewhere"
        which = "published" if fewest else "all"
        yield f"| {which} | {promise} | {len(part)} | {inside} | {min(shares):.1f} | {max(shares):.1f} |"


def _summary(found: dict[Cell, Coverage], first: dict[Cell, Coverage], ties: int) -> str:
    head = "| cells | promise | number | inside | lowest | highest |\n|---|---|--:|--:|--:|--:|"
    now, before = ("\n".join([head, *_within_promises(some)]) for some in (found, first))
    version = np.__version__
    error = max(at.error for at in found.values())
    return f"""# Coverage of the 90 % interval

Written by `python -m benchmarks.coverage --write docs/method/coverage.md`; seed {SEED} followed by the cell's own
numbers, numpy {version}, at least {ties:,} ties and 100 replicates per cell. Percent of ties whose interval holds
the rate that they were simulated with; its standard error over replicates is at most {100 * error:.2f} points.

Rates of K ties are drawn from a Beta with mean μ and size m (a large m: ties alike). Each tie has the same number of
observations; where several belong to a work item, items differ by a Beta of their own with the given intra-class
correlation (ICC). The prior is estimated from the K ties themselves, as in operation. **Bold**: outside the promise,
by however little. *Published* cells have at least 10 work items per tie; the others show what happens to ties that the
product does not show.

{now}

Where the promise is missed, in published cells (the text describes the seed above):
- Ties that are nearly alike (m 100): five misses in six. With 5 to 12 ties the intervals are too wide; with 40 to 200,
  where chance decides whether any variance between ties is found at all, too narrow.
- Ten observations with m 20 or μ .9 and more, at 5 to 40 ties: by up to three points.
- Three ties at μ .95 and m 5: many rates are so near 1 that no interval of a few observations reaches them.

The same ties with the variance factor φ that was measured first; [ADR 4](../adr/0004-one-formula-two-renderers.md) says
why it changed:

{before}"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", type=Path, help="also write the page here")
    arguments.add_argument("--ties", type=int, default=40_000, help="ties simulated per cell, at least")
    given = arguments.parse_args()
    check_rendering()
    started = time.perf_counter()
    both = {cell: covered(cell, given.ties) for cell in grid()}
    found, first = ({cell: pair[which] for cell, pair in both.items()} for which in (0, 1))
    text = page(found, first, given.ties)
    print(text)
    print(f"{len(found)} cells in {time.perf_counter() - started:.0f} s")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
