"""The gateway in front of a real Kafka: events posted one by one and in batches, and how long a batch takes.

Everything is posted over loopback by this process, which uses a core of its own; only the CPU time of the gateway's
process counts. A latency is that from the instant a batch was *due to be sent* until its 202, so a sender that falls
behind counts against us.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.load import ACTOR_KEY, POLICY, Load, simulated
from benchmarks.plan import Plan
from benchmarks.report import Figure, figure
from benchmarks.usage import Usage, usage
from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.instance import free_port
from deploy.embedded.logs import BoundedLog
from deploy.kafka.broker import KafkaBroker
from schemas import topics
from schemas.topics import PARTITIONS
from streams.apps.topic_admin import create_topics
from streams.gateway.tokens import TOKENS_FILE, TokenFile, utc_now
from streams.transport.barrier import read_to_barrier
from streams.transport.producer import BatchProducer

BATCH = 500
TARGET_PER_CPU_S, TARGET_P99_MS = 20_000.0, 50.0
RATE_PER_S = 10_000
_BATCH_SENDERS, _SINGLE_SENDERS = 4, 32
_SINGLES = 5_000
_ROUNDS = 3
_WARM_UP_S = 2.0


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    token: str
    broker: str
    pid: int

    @asynccontextmanager
    async def session(self, connections: int) -> AsyncIterator[aiohttp.ClientSession]:
        """Keeps its connections open, as senders do."""
        headers = {"Authorization": f"Bearer {self.token}"}
        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            yield session

    async def post(self, session: aiohttp.ClientSession, body: bytes, events: int) -> None:
        """Raises: AssertionError: not everything was accepted."""
        kind = "application/cloudevents-batch+json" if events > 1 else "application/cloudevents+json"
        async with session.post(f"{self.url}/v1/events", data=body, headers={"Content-Type": kind}) as answer:
            said = await answer.json(content_type=None)
            if answer.status != 202 or said["accepted"] != events:
                raise AssertionError(f"{answer.status}: {str(said)[:500]}")


async def gateway(plan: Plan) -> list[Figure]:
    """events through tieline gateway to a real Kafka: CPU for batches and single events, and latency at 10,000/s"""
    load = simulated(plan.weeks)
    batches, singles = [*_batches(load)], [one.value for one in load.sent[:_SINGLES]]
    many, one, latencies_ms, peaks, p99s = list[float](), list[float](), list[float](), list[float](), list[float]()
    async with running_gateway() as target:
        await _require_answer(target, load, batches)
        for _ in plan.repeat("gateway: batches, single events, latency"):
            many.append(await _per_cpu_s(target, batches * _ROUNDS, BATCH, _BATCH_SENDERS))
            one.append(await _per_cpu_s(target, singles, 1, _SINGLE_SENDERS))
            found = await _latencies_ms(target, batches, plan.live_s / plan.runs)
            cuts = quantiles(found, n=100)
            latencies_ms.append(cuts[49])
            p99s.append(cuts[98])
            peaks.append(usage(target.pid).peak_mib)
    return [
        figure("gateway, batches of 500", "events per CPU-second", "1/s", many, at_least=TARGET_PER_CPU_S),
        figure("gateway, single events", "events per CPU-second", "1/s", one),
        figure(f"gateway, {RATE_PER_S:,}/s in batches", "p50 until acknowledged", "ms", latencies_ms),
        figure(f"gateway, {RATE_PER_S:,}/s in batches", "p99 until acknowledged", "ms", p99s, at_most=TARGET_P99_MS),
        figure("gateway", "peak memory", "MiB", peaks),
    ]


@asynccontextmanager
async def running_gateway() -> AsyncIterator[Gateway]:
    """`tieline gateway` on an Apache Kafka of its own, in a folder of their own."""
    with TemporaryDirectory(prefix="tieline-bench-") as name:
        folder = Path(name)
        broker = KafkaBroker(folder / "kafka")
        try:
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(create_topics, broker.address)
            async with _child(folder / "data", broker.address) as target:
                yield target
        finally:
            await asyncio.to_thread(broker.stop)


@asynccontextmanager
async def _child(folder: Path, broker: str) -> AsyncIterator[Gateway]:
    token = _prepare(folder)
    port = free_port()
    command = ("gateway", "--broker", broker, "--data", str(folder), "--policy", str(POLICY), "--port", str(port))
    log = BoundedLog(folder / "gateway.log")
    child = await Child.start(ChildSpec("gateway", (sys.executable, "-m", "deploy.cli", *command), {}), log)
    try:
        target = Gateway(f"http://127.0.0.1:{port}", token, broker, child.pid)
        async with asyncio.timeout(60):
            while not await _on_kafka(target):
                if not child.running:
                    raise RuntimeError(f"the gateway ended:\n{log.tail(30)}")
                await asyncio.sleep(0.1)
        yield target
    finally:
        await child.stop()


def _prepare(folder: Path) -> str:
    """The actor key of the load, and a token."""
    folder.mkdir()
    (folder / "actor.key").write_text(f"{ACTOR_KEY.key_id}:{ACTOR_KEY.secret.hex()}\n")
    return TokenFile(folder / TOKENS_FILE).create(["events:write"], ["*"], utc_now()).shown


async def _on_kafka(target: Gateway) -> bool:
    """Whether events go straight to Kafka, not to the spool any more."""
    try:
        async with target.session(1) as session, session.get(f"{target.url}/health/ready") as answer:
            return bool((await answer.json(content_type=None))["checks"]["log"] == "kafka")
    except (aiohttp.ClientError, KeyError):
        return False


def _batches(load: Load) -> Iterator[bytes]:
    values = [one.value for one in load.sent]
    for start in range(0, len(values) - BATCH + 1, BATCH):
        yield b"[" + b",".join(values[start : start + BATCH]) + b"]"


async def _require_answer(target: Gateway, load: Load, batches: Sequence[bytes]) -> None:
    """Post everything once. Raises: AssertionError: what is on Kafka is not what was sent, where it belongs."""
    await _per_cpu_s(target, batches, BATCH, _BATCH_SENDERS)
    expected = {(one.partition, one.key, one.value) for one in load.sent[: len(batches) * BATCH]}
    async with BatchProducer(target.broker) as producer:
        read = read_to_barrier(topics.EVENTS, range(PARTITIONS), broker=target.broker, producer=producer)
        found = {(record.partition, record.key, record.value) async for record in read}
    if found != expected:
        raise AssertionError(f"{len(found - expected)} records too many on Kafka, {len(expected - found)} missing")


async def _per_cpu_s(target: Gateway, bodies: Sequence[bytes], events: int, senders: int) -> float:
    """Events per CPU-second of the gateway, everything posted once by so many senders that wait for their answers."""
    waiting = iter(bodies)
    async with target.session(senders) as session:

        async def send() -> None:
            for body in waiting:
                await target.post(session, body, events)

        began: Usage = usage(target.pid)
        await asyncio.gather(*(send() for _ in range(senders)))
        return len(bodies) * events / (usage(target.pid).cpu_s - began.cpu_s)


async def _latencies_ms(target: Gateway, batches: Sequence[bytes], lasting_s: float) -> list[float]:
    """Of each batch, sent at a steady rate whether earlier ones are answered or not."""
    found = list[float]()
    between_s = BATCH / RATE_PER_S
    async with target.session(100) as session:
        began_s = time.monotonic()

        async def send(number: int) -> None:
            due_s = began_s + number * between_s
            await target.post(session, batches[number % len(batches)], BATCH)
            if due_s - began_s >= _WARM_UP_S:
                found.append(1000 * (time.monotonic() - due_s))

        tasks = list[asyncio.Task[None]]()
        for number in range(round((_WARM_UP_S + lasting_s) / between_s)):
            await asyncio.sleep(max(0.0, began_s + number * between_s - time.monotonic()))
            tasks.append(asyncio.create_task(send(number)))
        await asyncio.gather(*tasks)
    return found
