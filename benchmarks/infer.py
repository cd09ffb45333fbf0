"""(b) The `infer` app on Tansu, and a raw aiokafka loop with the same decode and fold, in turn on the same load."""

from __future__ import annotations

import asyncio

from benchmarks.answer import Answer, answer_of, last_said
from benchmarks.cost import Cost, cost_figures, run_child, self_reported
from benchmarks.load import Load, expected_of, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.system import System, committed_past, event_ends, filled_broker
from benchmarks.usage import usage
from deploy.composition.drain import INFER_GROUP
from schemas import topics
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from schemas.topics import PARTITIONS
from streams.transport.barrier import read_to_barrier
from streams.transport.producer import BatchProducer

TARGET_RATIO = 0.6
_ROWS: dict[str, type[Row]] = {
    topics.HANDOFFS: HandoffRow,
    topics.EXCHANGES: ExchangeRow,
    topics.PROBLEMS: ProblemRow,
    topics.EVIDENCE: EvidenceRow,
}


async def infer(plan: Plan) -> list[Figure]:
    """the infer app on Tansu, beside a raw aiokafka loop with the same decode and fold"""
    load = simulated(plan.weeks)
    expected = expected_of(load)
    raw, ours = list[Cost](), list[Cost]()
    for number in plan.repeat("infer beside the raw loop"):
        async with filled_broker(load) as system:
            # Whichever comes first finds another machine: they take turns.
            steps = [(raw, raw_loop), (ours, infer_app)]
            for costs, run in steps if number % 2 else reversed(steps):
                costs.append(await run(system, load, expected))
    ratios = [loop.cpu_s / app.cpu_s for loop, app in zip(raw, ours, strict=True)]
    return [
        *cost_figures("raw aiokafka loop", load, raw),
        *cost_figures("infer", load, ours),
        figure("infer", "ratio to the raw loop, pair by pair", "", ratios, at_least=TARGET_RATIO),
    ]


async def raw_loop(system: System, load: Load, expected: Answer) -> Cost:
    """A raw aiokafka loop over the whole load."""
    result = system.folder / "raw.json"
    arguments = ["--broker", system.broker, "--events", str(len(load)), "--result", str(result)]
    await run_child("benchmarks.fold_loop", *arguments)
    return self_reported(result, expected)


async def infer_app(system: System, load: Load, expected: Answer) -> Cost:
    """The app, from the moment it has its partitions until its group has committed the whole load."""
    async with system.running("infer") as children:
        pid = children["infer"].pid
        began = usage(pid)
        await committed_past(system, INFER_GROUP, event_ends(load), ["infer"])
        ended = usage(pid)
    (await said_on(system)).require(expected)
    return Cost(ended.cpu_s - began.cpu_s, ended.peak_mib)


async def said_on(system: System) -> Answer:
    """What stands on the derived topics."""
    rows: list[Row] = []
    async with BatchProducer(system.broker) as producer:
        for topic, model in _ROWS.items():
            async for record in read_to_barrier(topic, range(PARTITIONS), broker=system.broker, producer=producer):
                if record.value is not None:
                    rows.append(model.model_validate_json(record.value))
    return await asyncio.to_thread(lambda: answer_of(last_said(rows)))
