"""Rounds: every contender once in each, in another order, on a Kafka that nothing has read before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.cost import Cost
from benchmarks.frameworks.contenders import CONTENDERS, INFER, PAIRS, READ, Contender
from benchmarks.frameworks.environments import CannotRunError
from benchmarks.frameworks.field import COPIES, Field
from benchmarks.frameworks.race import prepared, run_once
from benchmarks.load import simulated
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Figure, figure

TARGET_STATEFUL, TARGET_RAW = 2.0, 0.7
_TITLE = {INFER: "decode and fold", PAIRS: "pairs"}
_OURS = {INFER: "tieline", PAIRS: "tieline-transport"}


@dataclass
class Results:
    """CPU-seconds an event and peak memory of each run, by (job, contender), one for each round."""

    per_event_s: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    peak_mib: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, job: str, contender: Contender, events: int, cost: Cost) -> None:
        place = (INFER if job == READ else job, contender.name)
        self.per_event_s.setdefault(place, []).append(cost.cpu_s / events)
        self.peak_mib.setdefault(place, []).append(cost.peak_mib)


async def frameworks(plan: Plan) -> list[Figure]:
    """infer on a real Kafka beside loops of one's own, quixstreams, bytewax, Faust tables and Kafka Streams"""
    commands = _commands(plan)
    ground = Field(simulated(plan.weeks), 1 if plan.weeks == QUICK.weeks else COPIES)
    results = Results()
    for number in plan.repeat("frameworks: a round"):
        async with ground.broker() as broker:
            for job, contender in _order(number):
                if contender.name in commands:
                    plan.say(f"frameworks: {contender.name}, {job}")
                    cost = await run_once(ground, contender, job, broker, commands[contender.name])
                    results.add(job, contender, len(ground.course(contender, job).sent), cost)
    return [one for job in (INFER, PAIRS) for one in _figures(results, job)]


def _commands(plan: Plan) -> dict[str, list[str]]:
    """How each contender is started; those that cannot be had here are named and left out."""
    commands: dict[str, list[str]] = {}
    for contender in CONTENDERS:
        try:
            plan.say(f"frameworks: preparing {contender.name}")
            commands[contender.name] = prepared(contender)
        except CannotRunError as error:
            plan.say(f"frameworks: left out: {contender.name}: {error}")
    return commands


def _order(number: int) -> Sequence[tuple[str, Contender]]:
    """Everything once; each round begins elsewhere, and every other one goes backwards."""
    runs = [(job, one) for job in (INFER, READ, PAIRS) for one in CONTENDERS if job in one.jobs]
    shift = number * len(runs) // 3 % len(runs)
    turned = runs[shift:] + runs[:shift]
    return turned[::-1] if number % 2 else turned


def _figures(results: Results, job: str) -> list[Figure]:
    figures = list[Figure]()
    ours = results.per_event_s.get((job, _OURS[job]), [])
    for contender in CONTENDERS:
        costs = results.per_event_s.get((job, contender.name))
        if not costs:
            continue
        name = f"{_TITLE[job]}: {contender.name}"
        figures.append(figure(name, "events per CPU-second", "1/s", [1 / cost for cost in costs]))
        figures.append(figure(name, "peak memory", "MiB", results.peak_mib[job, contender.name]))
        if ours and contender.name != _OURS[job]:
            ratios = [theirs / own for theirs, own in zip(costs, ours, strict=True)]
            figures.append(figure(name, "Tieline's events per CPU-second ÷ its", "", ratios, **_target(job, contender)))
    return figures


def _target(job: str, contender: Contender) -> dict[str, float]:
    if job != INFER:
        return {}
    if contender.stateful:
        return {"at_least": TARGET_STATEFUL}
    return {"at_least": TARGET_RAW} if contender.name == "aiokafka" else {}


def medians(figures: Sequence[Figure]) -> dict[str, float]:
    """Events per CPU-second by name."""
    return {one.benchmark: median(one.values) for one in figures if one.unit == "1/s"}
