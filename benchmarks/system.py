"""Tieline's own processes, started one by one, each exactly as the embedded default starts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from clickhouse_connect.driver.client import Client

from benchmarks.load import AS_OF, POLICY, Load
from deploy.composition.drain import committed
from deploy.embedded.child import Child, ChildSpec
from deploy.embedded.front.accounts import ensure_passwords
from deploy.embedded.instance import free_port, prepare
from deploy.embedded.logs import BoundedLog
from deploy.embedded.stack import SERVICES, stack
from schemas import topics
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.apps.topic_admin import create_topics
from streams.transport.producer import BatchProducer

Ends = Mapping[tuple[str, int], int]
_ASK_EVERY_S = 0.1


@dataclass(frozen=True)
class System:
    """One data folder with what can be started in it."""

    folder: Path
    specs: dict[str, ChildSpec]
    broker: str
    clickhouse: ClickHouseSettings

    def client(self) -> Client:
        """To the store, which has to run."""
        return connect(self.clickhouse)

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[dict[str, Child]]:
        """These children, each ready before the next starts; stopped at the end."""
        children: dict[str, Child] = {}
        try:
            for name in names:
                children[name] = await self._start(self.specs[name])
            yield children
        finally:
            for child in reversed(children.values()):
                await child.stop()

    async def _start(self, spec: ChildSpec) -> Child:
        log = BoundedLog(self.folder / "logs" / f"{spec.name}.log")
        child = await Child.start(spec, log)
        async with asyncio.timeout(spec.ready_timeout_s):
            while not await _is_ready(spec):
                if not child.running:
                    raise RuntimeError(f"{spec.name} ended before it was ready:\n{log.tail(30)}")
                await asyncio.sleep(0.005)
        return child

    def tail(self, name: str) -> str:
        """The end of a child's log."""
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""


@asynccontextmanager
async def fresh_system(as_of: str = AS_OF) -> AsyncIterator[System]:
    """An empty data folder on free loopback ports; removed at the end. `as_of`: empty for the real clock."""
    with TemporaryDirectory(prefix="tieline-bench-") as name:
        folder = prepare(Path(name))
        ports: dict[str, int] = {}
        for service in SERVICES:
            ports[service] = free_port(tuple(ports.values()))
        passwords = ensure_passwords(folder)
        clickhouse = ClickHouseSettings.from_url(
            f"http://127.0.0.1:{ports['store']}", user="tieline", password=passwords["tieline"]
        )

        async def migrated() -> None:
            client = await asyncio.to_thread(connect, clickhouse)
            try:
                await asyncio.to_thread(migrate, client)
            finally:
                client.close()

        specs = {spec.name: spec for spec in stack(folder, ports, [POLICY], passwords, migrated, as_of)}
        yield System(folder, specs, f"127.0.0.1:{ports['broker']}", clickhouse)


@asynccontextmanager
async def filled_broker(load: Load) -> AsyncIterator[System]:
    """A system whose broker runs and holds the load, before any app has seen it."""
    async with fresh_system() as system, system.running("broker"):
        await asyncio.to_thread(create_topics, system.broker)
        by_partition: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for one in load.sent:
            by_partition.setdefault(one.partition, []).append((one.key, one.value))
        async with BatchProducer(system.broker) as producer:
            for number, pairs in by_partition.items():
                await producer.produce(topics.EVENTS, number, pairs)
        yield system


def event_ends(load: Load) -> Ends:
    """Where `infer` stands when it has committed the whole load."""
    return {(topics.EVENTS, number): end for number, end in load.ends().items()}


async def committed_past(
    system: System, group: str, ends: Ends, names: Sequence[str] = (), timeout_s: float = 180.0
) -> None:
    """Return once the group has committed all of it.

    Raises: TimeoutError: with the logs of the children `names`.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                offsets = await asyncio.to_thread(committed, system.broker, group)
                if all(offsets.get(place, 0) >= end for place, end in ends.items()):
                    return
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError:
        raise TimeoutError("\n".join(f"--- {name}\n{system.tail(name)}" for name in names)) from None


async def _is_ready(spec: ChildSpec) -> bool:
    try:
        return await spec.ready()
    except Exception:  # not yet: the timeout decides
        return False
