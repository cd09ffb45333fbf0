"""A whole Tieline of real processes for tests: a broker, the store, both apps; to be killed at will."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client

from deploy.composition.drain import drained
from deploy.composition.feed import Feed
from deploy.embedded.front.accounts import ensure_passwords
from deploy.embedded.instance import free_port, prepare
from schemas.events import Event
from schemas.topics import event_key
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.settings import ClickHouseSettings, connect
from streams.apps.topic_admin import create_topics
from streams.transport.producer import BatchProducer
from tests import brokers
from tests.brokers import Broker

AS_OF = "2027-06-01T00:00:00Z"
ROOT = Path(__file__).parents[3]
APPS = ("infer", "sink")
Hash = dict[str, tuple[int, str]]
STALL_S = 200.0
"""A machine that does ten things at once is slow, which is not what these tests are about."""


class Running:
    """Processes of one Tieline on `broker`, with its store in `folder`.

    Args:
        app_env: more environment of the apps, such as an account of Kafka; tests themselves come to `broker.address`.
    """

    def __init__(
        self, broker: Broker, folder: Path, policy: Path, as_of: str = AS_OF, app_env: Mapping[str, str] | None = None
    ) -> None:
        self.broker, self.folder, self.policy, self.as_of = broker, prepare(folder), policy, as_of
        self.app_env = dict(app_env or {})
        self.port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def store(self) -> ClickHouseSettings:
        password = ensure_passwords(self.folder)["tieline"]
        return ClickHouseSettings.from_url(f"http://127.0.0.1:{self.port}", user="tieline", password=password)

    def start(self) -> None:
        """Everything, on a broker without our topics."""
        self.start_store()
        client = self.client()
        migrate(client)
        client.close()
        create_topics(self.broker.address)
        for app in APPS:
            self.start_app(app)

    def start_store(self) -> None:
        """The store, answering."""
        command = ["deploy.embedded.front", "--data", str(self.folder), "--port", str(self.port)]
        log = self.folder / "store.out"
        starts = log.read_bytes().count(b"\nready ") if log.exists() else 0
        self._start("store", command, {})
        for _ in range(6_000):
            if log.read_bytes().count(b"\nready ") > starts:
                return
            time.sleep(0.05)
        raise RuntimeError("the store did not start")

    def start_app(self, app: str, name: str = "") -> None:
        """A worker of `app`; a second one needs a name of its own."""
        settings = self.store
        env = {
            "TIELINE_BROKER": self.broker.address,
            "TIELINE_CLICKHOUSE_URL": f"http://127.0.0.1:{self.port}",
            "TIELINE_CLICKHOUSE_USER": settings.user,
            "TIELINE_CLICKHOUSE_PASSWORD": settings.password.get_secret_value(),
            "TIELINE_AS_OF": self.as_of,
            **self.app_env,
        }
        command = ["deploy.cli", "worker", app, "--policy", str(self.policy)]
        self._start(name or app, command + (["--embedded"] if self.broker.kind == "tansu" else []), env)

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> None:
        with (self.folder / f"{name}.out").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """kill -9, and the process is gone."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        """A clean stop; returns the exit code."""
        process = self._processes.pop(name)
        process.terminate()
        return process.wait(60)

    def client(self) -> Client:
        return connect(self.store)

    def send(self, events: Iterable[Event]) -> None:
        """Onto Kafka, acknowledged."""

        async def send() -> None:
            async with BatchProducer(self.broker.address) as producer:
                await Feed(producer).send((event_key(event), event.canonical()) for event in events)

        asyncio.run(send())

    def drain(self) -> None:
        """Until the store has everything that was sent."""

        async def wait() -> None:
            async with BatchProducer(self.broker.address) as producer:
                await drained(self.broker.address, producer, stall_s=STALL_S)

        try:
            asyncio.run(wait())
        except Exception as error:
            logs = "\n".join(f"--- {app}\n{(self.folder / f'{app}.out').read_text()[-3000:]}" for app in APPS)
            raise AssertionError(f"{error}\n{logs}") from error

    def hash(self) -> Hash:
        """DESIGN's content hash of the live run."""
        client = self.client()
        try:
            return dict(content_hash(client, "live"))
        finally:
            client.close()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        client = self.client()
        try:
            return [tuple(row) for row in client.query(sql).result_rows]
        finally:
            client.close()

    def close(self) -> None:
        for name in list(self._processes):
            self.kill(name)


@contextmanager
def running(broker: Broker, folder: Path, policy: Path, as_of: str = AS_OF) -> Iterator[Running]:
    """A started Tieline; killed at the end."""
    tieline = Running(broker, folder, policy, as_of)
    try:
        tieline.start()
        yield tieline
    finally:
        tieline.close()


def undisturbed_hash(events: Sequence[Event], folder: Path, policy: Path) -> Hash:
    """The content hash of a run that nothing disturbs, on Tansu."""
    with brokers.tansu(folder) as broker, running(broker, folder / "data", policy) as tieline:
        tieline.send(events)
        tieline.drain()
        return tieline.hash()


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.2)
