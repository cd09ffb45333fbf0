"""From produced to visible on a real Kafka with the embedded store: infer and sink as a team would start them, on one
machine with the broker, the store, the feeder and the reader.

Samples are those of `latency`. A rate holds if every offer was visible 15 s after the last was sent, and everything is
in the store then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from benchmarks.latency import measured
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Figure
from benchmarks.system import fresh_system
from deploy.composition.target import Target
from deploy.embedded.child import ChildSpec
from deploy.kafka.broker import KafkaBroker
from streams.apps.topic_admin import create_topics
from streams.transport.broker import Broker

RATES = (500, 2_000, 10_000)
_EVENTS_AT_MOST = 160_000


async def latency_on_kafka(plan: Plan) -> list[Figure]:
    """produced to visible in ClickHouse on a real Kafka with the embedded store, at 500, 2,000 and 10,000 events/s"""
    figures = list[Figure]()
    for rate in (plan.rate,) if plan.weeks == QUICK.weeks else RATES:
        at_rate = replace(plan, rate=rate, live_s=min(plan.live_s, _EVENTS_AT_MOST / rate - plan.warm_up_s))
        async with tieline_on_kafka() as (target, pids):
            family = list(pids.values())
            figures += await measured(at_rate, target, pids, family.copy, f"on Kafka, {rate:,} events/s")
    return figures


@asynccontextmanager
async def tieline_on_kafka() -> AsyncIterator[tuple[Target, Mapping[str, int]]]:
    """A Kafka, the embedded store, one infer and one sink, on the real clock; and their process ids."""
    async with fresh_system(as_of="") as system:
        broker = KafkaBroker(system.folder / "kafka")
        try:
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(create_topics, broker.address)
            specs = {name: _at(broker.address, spec) for name, spec in system.specs.items()}
            async with replace(system, broker=broker.address, specs=specs).running(
                "store", "infer", "sink"
            ) as children:
                pids = {"broker": broker.pid or 0, **{name: child.pid for name, child in children.items()}}
                yield Target(Broker.at(broker.address), system.clickhouse), pids
        finally:
            await asyncio.to_thread(broker.stop)


def _at(broker: str, spec: ChildSpec) -> ChildSpec:
    """The same child at another broker, with the settings for Kafka."""
    argv = tuple(part for part in spec.argv if part != "--embedded")
    return replace(spec, argv=argv, env={**spec.env, "TIELINE_BROKER": broker})
