"""Every part of Tieline on an Apache Kafka that asks who it is, and what is said when it is not let in."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import NewTopic

from deploy.composition.drain import committed, end_offsets
from deploy.composition.durable import event_log
from deploy.composition.read_back import read_back
from deploy.composition.target import find_broker
from deploy.kafka.jars import missing_tools
from schemas import topics
from schemas.errors import ConfigError
from schemas.topics import PARTITIONS, TOPICS
from sinks.clickhouse.settings import ClickHouseSettings
from streams.apps.topic_admin import admin, create_topics, describe_topics
from streams.gateway.actors import ActorKey
from streams.simulation.scenario import Scenario
from streams.transport.app import batch_app
from streams.transport.batch import PartitionBatch
from streams.transport.broker import Broker
from streams.transport.producer import BatchProducer
from streams.transport.runner import run_app
from tests import brokers
from tests.integration.gateway.certificates import certificates
from tests.integration.gateway.gateway_process import GatewayProcess
from tests.integration.gateway.on_the_log import records
from tests.integration.gateway.secured_kafka import PASSWORD, STRANGER, USER, SecuredKafka
from tests.integration.pipeline.running import ROOT, Running

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WRONG = "some-other-password"
SCRATCH = "scratch"
"""A topic of nobody, where tests may write what they like."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One for the module, with Tieline's topics: use keys and groups of your own."""
    if (missing := missing_tools()) and not brokers.must_run():
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}, not found here")
    broker = SecuredKafka(tmp_path_factory.mktemp("kafka"), certificates(tmp_path_factory.mktemp("certificates")))
    try:
        broker.start()
        somebody = find_broker(env=broker.password_env())
        create_topics(somebody)
        with admin(somebody) as client:
            client.create_topics([NewTopic(SCRATCH, PARTITIONS, 1)])
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=["password", "certificate"])
def way(request: pytest.FixtureRequest, kafka: SecuredKafka) -> dict[str, str]:
    """Each way in, as environment variables."""
    return kafka.password_env() if request.param == "password" else kafka.certificate_env()


def test_events_become_rows_of_the_store(kafka: SecuredKafka, tmp_path: Path) -> None:
    """First of all here: what other tests write is no event."""
    plain = brokers.Broker("kafka", kafka.address, kafka.pid or 0)
    way = kafka.password_env()
    secured = Running(plain, tmp_path, ROOT / "deploy" / "policies" / "demo.yaml", app_env=way)
    hash_actor = ActorKey("test", bytes(range(32))).hash_actor
    try:
        secured.start()
        secured.send(Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), hash_actor, weeks=1).history())
        secured.drain()
        assert secured.hash()["handoffs"][0] > 100
        done = tieline(way | store_env(secured.store), "status", "--json")
    finally:
        secured.close()
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    assert seen["services"]["broker"] == kafka.by_password
    assert seen["services"]["tieline-infer"] == seen["services"]["tieline-sink"] == "1 worker"
    assert {(entry["group"], entry["behind"]) for entry in seen["lag"]} == {("tieline-infer", 0), ("tieline-sink", 0)}
    assert all(PASSWORD not in (tmp_path / f"{app}.out").read_text() for app in ("infer", "sink"))


async def test_what_is_produced_is_read_and_committed(way: Mapping[str, str]) -> None:
    broker, group, read = find_broker(env=way), f"group-{uuid4().hex}", asyncio.Event()
    async with BatchProducer(broker) as producer:
        offset = await producer.produce(SCRATCH, 3, [(group.encode(), b"said")])
    assert offset is not None
    app, stop = batch_app(group, broker), asyncio.Event()

    async def handle(batch: PartitionBatch) -> None:
        app.offsets.mark_safe(batch)
        await app.commit_safe()
        if group.encode() in [record.key for record in batch.records]:
            read.set()

    app.feed(handle, SCRATCH, name="reader")
    running = asyncio.create_task(run_app(app, stop=stop))
    await asyncio.wait_for(read.wait(), 60)
    stop.set()
    assert await running == 0
    assert (await asyncio.to_thread(committed, broker, group))[SCRATCH, 3] > offset


def test_a_topic_is_read_to_its_end_and_one_record_is_read_back(way: Mapping[str, str]) -> None:
    broker, key = find_broker(env=way), uuid4().bytes

    async def produced_and_read_back() -> list[bytes | None]:
        async with BatchProducer(broker) as producer:
            offset = await producer.produce(SCRATCH, 5, [(key, b"said")])
            back = read_back(SCRATCH, {5: [offset or 0]}, broker=broker, producer=producer)
            return [record.key async for record in back]

    assert asyncio.run(produced_and_read_back()) == [key]
    assert key in [record.key for record in records(broker, SCRATCH)]


def test_topics_and_their_ends_are_told_to_who_is_let_in(way: Mapping[str, str]) -> None:
    broker = find_broker(env=way)
    assert create_topics(broker) == []
    assert all(state.right for state in describe_topics(broker))
    assert len(end_offsets(broker, [topics.EVENTS])) == PARTITIONS


async def test_the_log_of_a_gateway_reaches_kafka(way: Mapping[str, str], tmp_path: Path) -> None:
    broker, key = find_broker(env=way), uuid4().bytes
    async with asyncio.timeout(60), event_log(broker, tmp_path / "spool") as log:
        await log.keep([(key, b"{}")])
        while log.state != "kafka":  # noqa: ASYNC110 - it is a fact to look at, nobody is told
            await asyncio.sleep(0.05)
    assert key in [record.key for record in await asyncio.to_thread(records, broker)]


def test_the_command_line_is_let_in(way: Mapping[str, str]) -> None:
    done = tieline(way, "topics", "describe")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("tieline.") == len(TOPICS)


def test_a_wrong_password_is_no_reason_to_wait(kafka: SecuredKafka, caplog: pytest.LogCaptureFixture) -> None:
    broker = find_broker(env=kafka.password_env(WRONG))
    told = refused(broker)
    with pytest.raises(ConfigError, match=f"refuses user '{USER}'") as told_by_admin:
        describe_topics(broker)
    assert f"refuses user '{USER}'" in told
    assert WRONG not in f"{told}{told_by_admin.value!r}{broker!r}{caplog.text}"


@pytest.mark.parametrize("command", [("topics", "describe"), ("worker", "infer")], ids=["topics", "worker"])
def test_a_wrong_password_ends_a_process_with_a_line(kafka: SecuredKafka, command: tuple[str, ...]) -> None:
    done = tieline(kafka.password_env(WRONG), *command)
    assert done.returncode == ConfigError.exit_code, done.stderr
    assert f"refuses user '{USER}'" in done.stderr.splitlines()[-1]
    assert "TIELINE_KAFKA_SASL_PASSWORD" in done.stderr
    assert WRONG not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_gateway_with_a_wrong_password_takes_events_and_says_why_they_wait(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    gateway = GatewayProcess(kafka.by_password, tmp_path, env=kafka.password_env(WRONG)).start()
    try:
        assert posted(gateway) == 202
        until(lambda: f"refuses user '{USER}'" in gateway.log)
        assert WRONG not in gateway.log
    finally:
        gateway.stop()
    right = GatewayProcess(kafka.by_password, tmp_path, env=kafka.password_env()).start()
    try:
        right.wait_until_replayed()
    finally:
        assert right.stop() == 0
    assert b'"id":"2203-2"' in b"".join(found.value or b"" for found in records(kafka.address))


def test_a_mechanism_that_the_broker_does_not_offer_is_named(kafka: SecuredKafka) -> None:
    env = kafka.password_env() | {"TIELINE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}
    assert "does not offer SCRAM-SHA-256" in refused(find_broker(env=env))


def test_a_broker_that_wants_a_certificate_says_so(kafka: SecuredKafka) -> None:
    assert "wants a certificate of ours" in refused(find_broker(env=kafka.server_env()))


def test_a_certificate_of_an_authority_unknown_to_the_broker_is_refused(kafka: SecuredKafka, tmp_path: Path) -> None:
    env = kafka.certificate_env(certificates(tmp_path))
    assert "refuses our certificate" in refused(find_broker(env=env))


def test_a_password_at_a_port_for_certificates_is_a_setting_to_correct(kafka: SecuredKafka) -> None:
    env = kafka.certificate_env() | kafka.password_env() | {"TIELINE_BROKER": kafka.by_certificate}
    assert "wants no user name and password at this port" in refused(find_broker(env=env))


def test_a_right_that_is_missing_is_no_reason_to_wait(kafka: SecuredKafka) -> None:
    broker = find_broker(env=kafka.password_env() | {"TIELINE_KAFKA_SASL_USERNAME": STRANGER})
    with pytest.raises(ConfigError, match="does not let this account do that"):
        committed(broker, "tieline-infer")


def test_one_address_that_is_away_does_not_hide_another_that_refuses(kafka: SecuredKafka) -> None:
    env = kafka.password_env(WRONG) | {"TIELINE_BROKER": f"127.0.0.1:1,{kafka.by_password}"}
    assert f"broker {kafka.by_password}: refuses user" in refused(find_broker(env=env))


def refused(broker: Broker) -> str:
    """What a producer is told, that waiting will not help."""
    with pytest.raises(ConfigError) as told:
        asyncio.run(BatchProducer(broker).start())
    return str(told.value)


def until(said: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not said():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def posted(gateway: GatewayProcess) -> int:
    """Post one event; the status of the answer."""
    event = {
        "specversion": "1.0",
        "type": "tieline.work_item.assigned.v1",
        "source": "/tickets",
        "id": "2203-2",
        "time": "2026-03-02T07:05:00Z",
        "process": "incident",
        "subject": "INC-2203",
        "data": {"role": "level-2"},
    }
    headers = {**gateway.headers, "Content-Type": "application/cloudevents+json"}
    request = urllib.request.Request(f"{gateway.url}/v1/events", json.dumps(event).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)


def store_env(store: ClickHouseSettings) -> dict[str, str]:
    return {
        "TIELINE_CLICKHOUSE_URL": f"http://{store.host}:{store.port}",
        "TIELINE_CLICKHOUSE_USER": store.user,
        "TIELINE_CLICKHOUSE_PASSWORD": store.password.get_secret_value(),
    }


def tieline(way: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *command],
        cwd=ROOT,
        env={**others, **way},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
