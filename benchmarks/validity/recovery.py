"""Does the estimate find the quality that was planted, and how well for how many observations?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean, stdev
from typing import Any

from matplotlib.figure import Figure
from scipy.stats import spearmanr

from benchmarks.validity.seen import evidence_of, simulation_of
from benchmarks.validity.study import Found, Plan, Study, Verdict, prose, table
from schemas.rows import EvidenceRow
from schemas.vocabulary import DIMENSIONS
from streams.inference.atoms import atoms, tie_figures
from streams.simulation.planted.promised import matching_policy
from streams.simulation.planted.simulation import Simulation
from streams.simulation.planted.world import World

SEED = 100
SIZES = (10, 20, 50, 100, 200, 500)
SPREADS = (0.05, 0.1, 0.15)
PROMISED, AT = 0.95, 200
ONE_RULE_EACH = ("reply", "handoff_accuracy", "problem_response", "contact")
MEAN = 0.75
_QUALITY = dict.fromkeys(DIMENSIONS, MEAN)
_HARD: dict[str, Any] = {
    "item": {"handoffs": 2, "questions": 2, "problems": 2},
    "clustering": {"item": 0.2, "actor": 0.05},
    "disturbances": {"duplicates": 0.05, "disorder": {"share": 0.2}},
}
Key = tuple[str, str, str]
Point = tuple[str, int, float, float, float, float]
"""Dimension, n, planted, of these people, estimate, s/n."""


def run(plan: Plan) -> Found:
    """Each spread of planted qualities several times with one observation per work item; once a harder world."""
    roles, replicates = plan.pick(8, 3), plan.pick(2, 1)
    sizes = [size for size in SIZES if size <= plan.pick(500, 20)]
    clean = []
    for spread in SPREADS if not plan.quick else SPREADS[1:2]:
        points: dict[int, list[list[Point]]] = {size: [] for size in sizes}
        for replicate in range(replicates):
            plan.say(f"recovery: planted sd {spread}, replicate {replicate + 1} of {replicates}")
            world = _world(roles, sizes[-1], spread, rules=ONE_RULE_EACH)
            for size, found in _by_size(world, SEED + replicate, sizes).items():
                points[size].append(found)
        clean += [{"spread": spread, "n": size, **_summary(found)} for size, found in points.items()]
    plan.say("recovery: a harder world")
    items = [size for size in sizes if size <= 200]
    hard = _by_items(_world(plan.pick(6, 3), items[-1], 0.1, **_HARD), SEED, items)
    return {
        "seed": SEED,
        "ties": roles * (roles - 1),
        "replicates": replicates,
        "clean": clean,
        "hard": [{"items": size, **_by_dimension(found)} for size, found in hard.items()],
        "scatter": _scatter(points[sizes[-2]][0]),
        "scatter_n": sizes[-2],
    }


def _world(roles: int, items: int, spread: float, **more: Any) -> World:
    """So many items of each flow within one quarter."""
    weeks = 11
    return World.model_validate(
        {
            "weeks": weeks,
            "items_per_week": -(-items // weeks),
            "steady": True,
            "roles": {f"role-{number}": {"people": 12} for number in range(roles)},
            "quality": {**_QUALITY, "sd": spread},
            **more,
        }
    )


def _by_size(world: World, seed: int, sizes: Sequence[int]) -> dict[int, list[Point]]:
    """Estimates from the first n observations of each tie and dimension."""
    simulated, rows = _evidence(world, seed)
    return {size: _points(simulated, [row for each in rows.values() for row in each[:size]]) for size in sizes}


def _by_items(world: World, seed: int, sizes: Sequence[int]) -> dict[int, list[Point]]:
    """Estimates from the first work items of each tie and dimension."""
    simulated, rows = _evidence(world, seed)
    found = {}
    for size in sizes:
        chosen: list[EvidenceRow] = []
        for each in rows.values():
            items = set(list(dict.fromkeys(row.work_item for row in each))[:size])
            chosen += [row for row in each if row.work_item in items]
        found[size] = _points(simulated, chosen)
    return found


def _evidence(world: World, seed: int) -> tuple[Simulation, dict[Key, list[EvidenceRow]]]:
    simulated = simulation_of(world, seed)
    rows: dict[Key, list[EvidenceRow]] = defaultdict(list)
    for row in evidence_of(simulated.events(), matching_policy(world, "quarter")):
        rows[row.communicator_role, row.experiencer_role, row.dimension].append(row)
    for each in rows.values():
        each.sort(key=lambda row: (row.at, row.episode_id, row.part))
    return simulated, rows


def _points(simulated: Simulation, rows: list[EvidenceRow]) -> list[Point]:
    """Every tie and dimension that may be shown. A contact belongs to the pair and is taken once."""
    world, truth = simulated.world, simulated.truth.means()
    policies = {world.process: matching_policy(world, "quarter").processes[world.process]}
    start = min(row.at for row in rows)
    figures = tie_figures(atoms(rows), (), policies, start, start + timedelta(days=120))
    raw: dict[Key, list[float]] = defaultdict(list)
    for row in rows:
        assert row.value is not None
        raw[row.communicator_role, row.experiencer_role, row.dimension].append(row.value)
    found = []
    for (tie, dimension), figure in sorted(figures.items()):
        key = (tie.communicator_role, tie.experiencer_role, dimension)
        if figure.estimate is not None and figure.n is not None and key in truth:
            _, planted, these, _ = truth[key]
            found.append((dimension, figure.n, planted, these, figure.estimate.estimate, fmean(raw[key])))
    return found


def _summary(replicates: list[list[Point]]) -> dict[str, Any]:
    """Over all dimensions; correlations are within a dimension and a replicate, of which the mean and the lowest."""
    correlations = [
        _rank([p for p in points if p[0] == dimension])
        for points in replicates
        for dimension in DIMENSIONS
        if dimension != "frequency"
    ]
    points = [point for each in replicates for point in each]
    errors = [point[4] - point[2] for point in points]
    return {
        "shown": len(points),
        "rank_mean": fmean(correlations),
        "rank_error": stdev(correlations) / len(correlations) ** 0.5,
        "rank_lowest": min(correlations),
        "bias": fmean(errors),
        "bias_error": stdev(errors) / len(errors) ** 0.5,
        "rmse": fmean(error * error for error in errors) ** 0.5,
        "rmse_raw": fmean((point[5] - point[2]) ** 2 for point in points) ** 0.5,
    }


def _by_dimension(points: list[Point]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for dimension in DIMENSIONS:
        of = [point for point in points if point[0] == dimension]
        found[dimension] = {
            "n": fmean(point[1] for point in of),
            "shown": len(of),
            "rank": _rank(of),
            "rank_these": _rank(of, 3),
            "bias": fmean(point[4] - point[2] for point in of),
            "rmse": fmean((point[4] - point[2]) ** 2 for point in of) ** 0.5,
        }
    return found


def _rank(points: list[Point], truth: int = 2) -> float:
    return float(spearmanr([point[truth] for point in points], [point[4] for point in points]).statistic)


def _scatter(points: list[Point]) -> dict[str, list[list[float]]]:
    return {
        dimension: [[round(point[2], 4), round(point[4], 4)] for point in points if point[0] == dimension]
        for dimension in DIMENSIONS
    }


def _ceiling(spread: float, n: int) -> float:
    """The correlation of s/n with rates of that sd about .75: what no estimate of independent ties can pass."""
    return float(spread / (spread**2 + (MEAN * (1 - MEAN) - spread**2) / n) ** 0.5)


def _at_promise(found: Found) -> list[dict[str, Any]]:
    return [row for row in found["clean"] if row["n"] == AT]


def verdicts(found: Found) -> list[Verdict]:
    """One for each spread of planted qualities."""
    return [
        Verdict(
            f"rank correlation ≥ {PROMISED} at {AT} observations; ties differ by sd {row['spread']:g}",
            f"{row['rank_mean']:.3f} ± {row['rank_error']:.3f}",
            row["rank_mean"] >= PROMISED,
        )
        for row in _at_promise(found)
    ]


def section(found: Found) -> str:
    rows = [
        [
            f"{row['spread']:g}",
            str(row["n"]),
            f"{row['rank_mean']:.3f} ± {row['rank_error']:.3f}",
            f"{row['rank_lowest']:.3f}",
            f"{_ceiling(row['spread'], row['n']):.3f}",
            f"{row['bias']:+.4f} ± {row['bias_error']:.4f}",
            f"{row['rmse']:.3f}",
            f"{row['rmse_raw']:.3f}",
            str(row["shown"]),
        ]
        for row in found["clean"]
    ]
    head = ["sd planted", "n", "rank correlation", "lowest", "ceiling", "bias", "RMSE", "RMSE of s/n", "shown"]
    hard = [
        [
            str(row["items"]),
            dimension.replace("_", "-"),
            f"{row[dimension]['n']:.0f}",
            f"{row[dimension]['rank']:.3f}",
            f"{row[dimension]['rank_these']:.3f}",
            f"{row[dimension]['bias']:+.3f}",
            f"{row[dimension]['rmse']:.3f}",
        ]
        for row in found["hard"]
        for dimension in DIMENSIONS
    ]
    hard_head = ["work items", "dimension", "n", "rank, planted", "rank, these people", "bias", "RMSE"]
    return prose(
        "recovery",
        ties=found["ties"],
        replicates=found["replicates"],
        seed=found["seed"],
        clean=table(head, rows, 0),
        at=AT,
        hard=table(hard_head, hard, 2),
    )


def draw(found: Found, figure: Figure) -> None:
    """Left: rank correlation by n. Right: planted and estimated at one n."""
    left, right = figure.subplots(1, 2)
    for spread, mark in zip(SPREADS, ("o", "s", "^"), strict=True):
        rows = [row for row in found["clean"] if row["spread"] == spread]
        if rows:
            left.plot([r["n"] for r in rows], [r["rank_mean"] for r in rows], marker=mark, label=f"sd {spread:g}")
    left.axhline(PROMISED, color="0.4", linestyle="--", linewidth=1)
    left.set(xscale="log", xlabel="observations of each tie", ylabel="rank correlation with what was planted")
    left.set_xticks(SIZES, [str(size) for size in SIZES])
    left.minorticks_off()
    left.legend(title="ties differ by")
    for (dimension, points), mark in zip(found["scatter"].items(), ("x", "o", "s", "^"), strict=True):
        label = dimension.replace("_", "-")
        right.scatter([p[0] for p in points], [p[1] for p in points], s=14, marker=mark, alpha=0.7, label=label)
    right.plot([0.1, 1], [0.1, 1], color="0.4", linewidth=1)
    right.set(xlabel="planted", ylabel=f"estimated from {found['scatter_n']} observations")
    right.legend()


RECOVERY = Study(
    "recovery",
    "Does the estimate find what was planted?",
    run,
    verdicts,
    section,
    {"validity-recovery.svg": draw},
)
