"""What lost events, wrong clocks, duplicates and unmarked machines do to each rule and dimension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from math import fsum
from statistics import fmean, stdev
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from benchmarks.validity.seen import evidence_of, simulation_of
from benchmarks.validity.study import Found, Plan, Study, Verdict, percent, prose, table
from schemas.vocabulary import DIMENSIONS, RULE_DIMENSION
from streams.simulation.planted.item import Drawn
from streams.simulation.planted.promised import matching_policy
from streams.simulation.planted.truth import Truth
from streams.simulation.planted.world import World

SEED = 500
WORLDS = 5
LOST = (0.01, 0.05, 0.2)
SKEWS_MIN = (1, 5, 15)
EXACT = "no effect at all"
_NEAR, _FAR = "near", "far"


class Case(NamedTuple):
    """One disturbance. `side`: which ties are looked at: all, or those whose communicator's clock is wrong."""

    name: str
    disturbances: dict[str, Any]
    side: str = ""


class _ByRule(Truth):
    """What was drawn before the disturbance, by rule and side of the communicator."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.values: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, drawn: Iterable[Drawn]) -> None:
        for one in drawn:
            self.values[one.rule, _sides(*one.tie)].append(float(one.good))


def cases() -> list[Case]:
    """Every disturbance that the page shows."""
    wrong_clock = {f"{_FAR}-{number}": 0.0 for number in range(3)}
    found = [Case("undisturbed", {})]
    found += [Case(f"{percent(share, 0)} % of events lost", {"missing": share}) for share in LOST]
    for minutes in SKEWS_MIN:
        skewed = {"skew_s": dict.fromkeys(wrong_clock, 60.0 * minutes)}
        found.append(Case(f"communicator's clock {minutes} min ahead", skewed, f"{_FAR} {_NEAR}"))
        found.append(Case(f"experiencer's clock {minutes} min ahead", skewed, f"{_NEAR} {_FAR}"))
    found.append(Case("20 % of events twice, half out of order", {"duplicates": 0.2, "disorder": {"share": 0.5}}))
    found.append(Case("10 % of events ten days late", {"late": {"share": 0.1}}))
    found += [
        Case(f"machines answer {percent(share, 0)} % at once, {'marked' if marked else 'unmarked'}", bots)
        for share, marked in ((0.2, True), (0.05, False), (0.2, False))
        for bots in [{"bots": {"share": share, "marked": marked}}]
    ]
    return found


def run(plan: Plan) -> Found:
    """One world for each case, of the same seed, so that cases differ by their disturbance and nothing else."""
    rows = []
    for case in cases() if not plan.quick else cases()[::6]:
        plan.say(f"robustness: {case.name}")
        rows.append({"case": case.name, **_effect(case, plan)})
    return {"seed": SEED, "items": WORLDS * 30 * 5 * plan.pick(8, 2), "cases": rows}


def _effect(case: Case, plan: Plan) -> dict[str, Any]:
    """Over several worlds: bias with its standard error, and the share of observations lost."""
    worlds = [_in_one_world(case, plan, SEED + number) for number in range(plan.pick(WORLDS, 2))]
    kinds: dict[str, Sequence[str]] = {"rules": tuple(RULE_DIMENSION), "dimensions": DIMENSIONS}
    return {
        kind: {name: _together([world[name] for world in worlds]) for name in names} for kind, names in kinds.items()
    }


def _in_one_world(case: Case, plan: Plan, seed: int) -> dict[str, tuple[float, float]]:
    """Rule or dimension to bias and share lost."""
    world = _world(plan, case.disturbances)
    simulated = simulation_of(world, seed)
    truth = simulated.truth = _ByRule(world, seed)
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in evidence_of(simulated.events(), matching_policy(world)):
        assert row.value is not None
        seen[row.rule, _sides(row.communicator_role, row.experiencer_role)].append(row.value)
    rules = {rule: (_of(truth.values, case, rule), _of(seen, case, rule)) for rule in RULE_DIMENSION}
    found: dict[str, tuple[float, float]] = {rule: _compared(*values) for rule, values in rules.items()}
    for dimension in DIMENSIONS:
        of = [values for rule, values in rules.items() if RULE_DIMENSION[rule] == dimension]
        found[dimension] = _compared(*(list(chain.from_iterable(parts)) for parts in zip(*of, strict=True)))
    return found


def _world(plan: Plan, disturbances: dict[str, Any]) -> World:
    """Six roles, three of which share a system whose clock may be wrong."""
    return World.model_validate(
        {
            "weeks": plan.pick(5, 1),
            "items_per_week": plan.pick(8, 2),
            "steady": True,
            "roles": {f"{side}-{number}": {} for side in (_NEAR, _FAR) for number in range(3)},
            "quality": {"sd": 0.1},
            "disturbances": disturbances,
        }
    )


def _sides(communicator: str, experiencer: str) -> str:
    return f"{communicator.partition('-')[0]} {experiencer.partition('-')[0]}"


def _of(values: dict[tuple[str, str], list[float]], case: Case, rule: str) -> list[float]:
    """Of one rule, on the case's side; a pair has no direction."""
    sides = {case.side, f"{_FAR} {_NEAR}"} if rule == "contact" and case.side else {case.side}
    return [v for (of, side), some in values.items() if of == rule and (not case.side or side in sides) for v in some]


def _compared(drawn: list[float], found: list[float]) -> tuple[float, float]:
    """By how much the share that went well is off, and which share of the observations is lost."""
    # Both are multiples of what the simulated responses can be (0 or 1), so equal outcomes give exactly 0.
    return fsum(found) / len(found) - fsum(drawn) / len(drawn), 1 - len(found) / len(drawn)


def _together(worlds: list[tuple[float, float]]) -> dict[str, float]:
    biases = [bias for bias, _ in worlds]
    error = stdev(biases) / len(biases) ** 0.5
    return {"bias": fmean(biases), "error": error, "lost": fmean(lost for _, lost in worlds)}


def _largest(found: Found, *names: str) -> float:
    rows = [row for row in found["cases"] if row["case"].startswith(names)]
    changes = [abs(cell["bias"]) + abs(cell["lost"]) for row in rows for cell in row["rules"].values()]
    return float(max(changes, default=0.0))


def verdicts(found: Found) -> list[Verdict]:
    """What must change nothing changes nothing. What disturbances do is a table, not a promise."""
    harmless = _largest(found, "undisturbed", "20 % of events twice", "10 % of events ten days late")
    machines = _largest(found, "machines answer 20 % at once, marked")
    return [
        Verdict("duplicates, disorder and lateness change nothing", _said(harmless), harmless < 1e-12),
        Verdict("machines that say so change nothing", _said(machines), machines < 1e-12),
    ]


def _said(largest: float) -> str:
    return EXACT if largest < 1e-12 else f"up to {largest:.4f}"


def section(found: Found) -> str:
    dimensions = [
        [row["case"], *(_cell(row["dimensions"][dimension]) for dimension in DIMENSIONS)] for row in found["cases"]
    ]
    rules = [[row["case"], *(_cell(row["rules"][rule]) for rule in RULE_DIMENSION)] for row in found["cases"]]
    return prose(
        "robustness",
        items=found["items"],
        worlds=WORLDS,
        seed=found["seed"],
        dimensions=table(["disturbance", *(dimension.replace("_", "-") for dimension in DIMENSIONS)], dimensions),
        rules=table(["disturbance", *(f"`{rule}`" for rule in RULE_DIMENSION)], rules),
    )


def _cell(cell: dict[str, float]) -> str:
    if cell["bias"] == 0 and cell["lost"] == 0:
        return "0"
    return f"{100 * cell['bias']:+.1f} ± {100 * cell['error']:.1f} ({100 * cell['lost']:.1f} %)"


def draw(found: Found, figure: Figure) -> None:
    """Bias by disturbance, one mark for each dimension."""
    rows = [row for row in found["cases"] if row["case"] != "undisturbed"][::-1]
    axes = figure.subplots()
    for dimension, mark, shift in zip(DIMENSIONS, ("x", "o", "s", "^"), (-0.24, -0.08, 0.08, 0.24), strict=True):
        biases = [100 * row["dimensions"][dimension]["bias"] for row in rows]
        places = [place + shift for place in range(len(rows))]
        axes.plot(biases, places, mark, markersize=4.5, label=dimension.replace("_", "-"))
    axes.axvline(0, color="0.4", linewidth=1)
    axes.set_yticks(range(len(rows)), [row["case"] for row in rows])
    axes.set_xlabel("points by which the share that went well is off")
    axes.grid(axis="y", color="0.9")
    axes.legend()


ROBUSTNESS = Study(
    "robustness",
    "What do lost events, wrong clocks and machines do?",
    run,
    verdicts,
    section,
    {"validity-robustness.svg": draw},
)
