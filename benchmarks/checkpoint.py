"""What the checkpoint costs `infer`: the app as it is, beside one that writes no state and commits nothing."""

from __future__ import annotations

from benchmarks.answer import Answer
from benchmarks.checkpoint_loop import NEVER_S
from benchmarks.cost import Cost, cost_figures, run_child, self_reported
from benchmarks.infer import said_on
from benchmarks.load import Load, expected_of, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.system import filled_broker


async def checkpoint(plan: Plan) -> list[Figure]:
    """the infer app with its checkpoints, beside the same app without any"""
    load = simulated(plan.weeks)
    expected = expected_of(load)
    kept, never = list[Cost](), list[Cost]()
    for number in plan.repeat("checkpoint"):
        steps: list[tuple[list[Cost], float | None]] = [(kept, None), (never, NEVER_S)]
        for costs, interval_s in steps if number % 2 else reversed(steps):
            costs.append(await _one(load, expected, interval_s))
    shares = [100 * (1 - without.cpu_s / with_.cpu_s) for with_, without in zip(kept, never, strict=True)]
    return [
        *cost_figures("infer, no checkpoint", load, never),
        figure("infer, no checkpoint", "share of infer's CPU that is the checkpoint's", "%", shares),
    ]


async def _one(load: Load, expected: Answer, interval_s: float | None) -> Cost:
    async with filled_broker(load) as system:
        result = system.folder / "infer.json"
        arguments = ["--broker", system.broker, "--events", str(len(load)), "--result", str(result)]
        interval = [] if interval_s is None else ["--interval-s", str(interval_s)]
        await run_child("benchmarks.checkpoint_loop", *arguments, *interval)
        (await said_on(system)).require(expected)
        return self_reported(result)
