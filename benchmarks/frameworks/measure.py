"""Rounds: every contender once in each, in another order, on a Kafka that nothing has read before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.cost import Cost
from benchmarks.frameworks.contenders import CONTENDERS, INFER, PAIRS, READ, Contender
from benchmarks.frameworks.environments import CannotRunError
from benchmarks.frameworks.field import COPIES, Field
from benchmarks.frameworks.race import prepared, run_once
from benchmarks.load import simulated
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Figure, figure

TARGET_STATEFUL, TARGET_RAW = 2.0, 0.7
SECOND_HALF = ", second half"
_JOBS = {INFER: (INFER, READ), PAIRS: (PAIRS,)}
_TITLE = {INFER: "decode and fold", PAIRS: "pairs"}
_OURS = {INFER: "tieline", PAIRS: "tieline-transport"}
Run = tuple[str, Contender]
Costs = dict[str, dict[int, Cost]]
"""By contender and round; the CPU time is that of one event."""
Ran = dict[str, Cost]


async def frameworks(plan: Plan) -> list[Figure]:
    """infer on a real Kafka beside loops of one's own, quixstreams, bytewax and Faust tables"""
    return await _measured(plan, INFER)


async def pairs(plan: Plan) -> list[Figure]:
    """a job small enough for Java too: Tieline's transport beside the same frameworks and Kafka Streams"""
    return await _measured(plan, PAIRS)


async def _measured(plan: Plan, title: str) -> list[Figure]:
    commands = _commands(plan, title)
    ground = Field(simulated(plan.weeks), _JOBS[title], 1 if plan.weeks == QUICK.weeks else COPIES)
    costs: Costs = {}
    for number in plan.repeat(f"{_TITLE[title]}: a round"):
        async with ground.broker() as broker:
            for name, cost in await _round(plan, ground, broker, commands, _order(title, number)):
                costs.setdefault(name, {})[number] = cost
    return _figures(costs, title)


def _commands(plan: Plan, title: str) -> dict[str, list[str]]:
    """How each contender is started; those that cannot be had here are named and left out."""
    commands: dict[str, list[str]] = {}
    for contender in dict.fromkeys(one for _, one in _order(title, 0)):
        try:
            commands[contender.name] = prepared(contender)
        except CannotRunError as error:
            plan.say(f"left out: {contender.name}: {error}")
    return commands


async def _round(
    plan: Plan, ground: Field, broker: str, commands: dict[str, list[str]], order: Sequence[Run]
) -> list[tuple[str, Cost]]:
    places = asyncio.Semaphore(plan.at_once)

    async def run(job: str, contender: Contender) -> Ran:
        async with places:
            return await _ran(plan, ground, contender, job, broker, commands[contender.name])

    found = await asyncio.gather(*(run(job, one) for job, one in order if one.name in commands))
    return [named for ran in found for named in ran.items()]


async def _ran(plan: Plan, ground: Field, contender: Contender, job: str, broker: str, command: list[str]) -> Ran:
    """What an event cost, and memory; nothing, and said, where a contender of others failed or was wrong.

    Raises: AssertionError, RuntimeError, TimeoutError: we did.
    """
    events = len(ground.course(contender, job).sent)
    try:
        whole, second_half = await run_once(ground, contender, job, broker, command)
    except (AssertionError, RuntimeError, TimeoutError) as error:
        if contender.name in _OURS.values():
            raise
        plan.say(f"no figure: {contender.name}, {job}: {type(error).__name__}: {str(error)[-500:]}")
        return {}
    plan.say(f"{contender.name}, {job}: {events / whole.cpu_s:,.0f} events per CPU-second, {whole.peak_mib:.0f} MiB")
    found = {contender.name: Cost(whole.cpu_s / events, whole.peak_mib)}
    if second_half is not None:
        half = Cost(second_half.cpu_s / (events - events // 2), second_half.peak_mib)
        plan.say(f"{contender.name}, {job}, second half: {1 / half.cpu_s:,.0f} events per CPU-second")
        found[contender.name + SECOND_HALF] = half
    return found


def _order(title: str, number: int) -> Sequence[Run]:
    """Everything once; each round begins elsewhere, and every other one goes backwards."""
    runs = [(job, one) for job in _JOBS[title] for one in CONTENDERS if job in one.jobs]
    shift = number * 3 % len(runs)
    turned = runs[shift:] + runs[:shift]
    return turned[::-1] if number % 2 else turned


def _figures(costs: Costs, title: str) -> list[Figure]:
    figures, ours = list[Figure](), costs.get(_OURS[title], {})
    contenders = {one.name + part: one for one in CONTENDERS for part in ("", SECOND_HALF)}
    for named, contender in contenders.items():
        theirs = costs.get(named)
        if not theirs:
            continue
        name = f"{_TITLE[title]}: {named}"
        figures.append(figure(name, "events per CPU-second", "1/s", [1 / cost.cpu_s for cost in theirs.values()]))
        figures.append(figure(name, "peak memory", "MiB", [cost.peak_mib for cost in theirs.values()]))
        if ours and named != _OURS[title]:
            ratios = [theirs[number].cpu_s / ours[number].cpu_s for number in theirs]
            figures.append(
                figure(name, "Tieline's events per CPU-second ÷ its", "", ratios, **_target(title, contender))
            )
    return figures


def _target(title: str, contender: Contender) -> dict[str, float]:
    if title == INFER and contender.stateful:
        return {"at_least": TARGET_STATEFUL}
    return {"at_least": TARGET_RAW} if title == INFER and contender.name == "aiokafka" else {}
