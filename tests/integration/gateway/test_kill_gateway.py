"""kill -9 of the gateway and of the broker: what was accepted is on the log, and once in every derived table."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.composition.drain import drained
from deploy.composition.durable import embedded_spool
from deploy.composition.target import target_of
from deploy.embedded.instance import Instance, prepare, running_instance
from deploy.kafka.broker import KafkaBroker
from schemas.events import Event
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.settings import connect
from streams.simulation.scenario import Scenario
from streams.transport.producer import BatchProducer
from tests.brokers import Broker
from tests.integration.embedded.tieline import up
from tests.integration.gateway.gateway_process import KEY, ROOT, GatewayProcess, headers_of, write_key
from tests.integration.gateway.on_the_log import identities
from tests.integration.gateway.senders import Senders
from tests.integration.pipeline.running import AS_OF, Hash, Running, undisturbed_hash

DEMO_POLICY = ROOT / "deploy" / "policies" / "demo.yaml"
# `make faults` kills 50 and 5 times, which takes six minutes.
GATEWAY_KILLS = int(os.environ.get("TIELINE_GATEWAY_KILLS", "5"))
BROKER_KILLS = int(os.environ.get("TIELINE_BROKER_KILLS", "1"))
PAUSE_S = 0.03  # so that the events last as long as the killing


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """A week of the simulated scenario."""
    return list(Scenario(3, datetime(2026, 3, 4, 10, tzinfo=UTC), KEY.hash_actor, weeks=1).history())


@pytest.fixture(scope="module")
def undisturbed(events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Hash:
    """The derived tables of the same events, brought to Kafka without a gateway and with nothing killed."""
    return undisturbed_hash(events, tmp_path_factory.mktemp("undisturbed"), DEMO_POLICY)


def derived_tables(broker: Broker, folder: Path) -> Hash:
    """What both apps make of everything on the log."""
    tieline = Running(broker, folder, DEMO_POLICY)
    try:
        tieline.start()
        tieline.drain()
        return tieline.hash()
    finally:
        tieline.close()


def assert_all_on_the_log(broker: str, events: list[Event]) -> None:
    wanted = {(event.source, event.id) for event in events}
    assert wanted - set(identities(broker)) == set()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_a_killed_gateway_accepted_is_on_the_log_and_once_in_the_derived_tables(
    own_broker: Broker, tmp_path: Path, events: list[Event], undisturbed: Hash
) -> None:
    """Two gateways in turn: while one starts again the other one is killed."""
    dice = random.Random(50)
    embedded = own_broker.kind == "tansu"
    gateways = [GatewayProcess(own_broker.address, tmp_path / name, embedded).start() for name in ("one", "two")]
    contents = [event.canonical() for event in events]
    with (
        Senders(lambda: gateways[0].url, gateways[0].headers, contents[::2], 2, PAUSE_S) as first,
        Senders(lambda: gateways[1].url, gateways[1].headers, contents[1::2], 2, PAUSE_S) as second,
    ):
        for number in range(GATEWAY_KILLS):
            victim = gateways[number % 2]
            victim.wait_until_ready()
            time.sleep(dice.uniform(0.0, 0.3))
            victim.kill()
            victim.start_soon()
        for gateway in gateways:
            gateway.wait_until_ready()
        first.wait_for_all(60)
        second.wait_for_all(60)
    assert not first.strange + second.strange
    for gateway in gateways:
        gateway.wait_until_replayed()
    assert_all_on_the_log(own_broker.address, events)
    assert derived_tables(own_broker, tmp_path / "data") == undisturbed
    for gateway in gateways:
        gateway.wait_until_empty()
        gateway.stop()


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_killed_broker_and_a_gateway_killed_meanwhile_lose_nothing(
    own_kafka: KafkaBroker, tmp_path: Path, events: list[Event], undisturbed: Hash
) -> None:
    dice = random.Random(5)
    gateway = GatewayProcess(own_kafka.address, tmp_path / "gateway").start()
    with Senders(
        lambda: gateway.url, gateway.headers, [each.canonical() for each in events], pause_s=PAUSE_S
    ) as senders:
        for number in range(BROKER_KILLS):
            time.sleep(dice.uniform(0.2, 1.0))
            kill(own_kafka)
            time.sleep(dice.uniform(0.0, 3.0))
            if not number % 2:
                gateway.kill()
                gateway.start()
            own_kafka.start()
        senders.wait_for_all(120)
    gateway.wait_until_empty()
    gateway.stop()
    assert not senders.strange
    assert_all_on_the_log(own_kafka.address, events)
    kept = Broker("kafka", own_kafka.address, own_kafka.pid or 0)
    assert derived_tables(kept, tmp_path / "data") == undisturbed


def kill(kafka: KafkaBroker) -> None:
    """kill -9; its log stays."""
    os.kill(kafka.pid or 0, signal.SIGKILL)
    kafka.wait()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_killed_embedded_broker_takes_nothing_with_it_that_the_gateway_accepted(
    tmp_path: Path, events: list[Event], undisturbed: Hash
) -> None:
    """Its log ends with it: what was accepted comes out of the archive and the gateway's spool."""
    dice = random.Random(6)
    data = prepare(tmp_path / "data")
    write_key(data)
    with up(data, "--policy", str(DEMO_POLICY), env={"TIELINE_AS_OF": AS_OF}):
        url, headers = instance(data).gateway_url.rstrip("/"), headers_of((data / "gateway.token").read_text().strip())
        with Senders(lambda: url, headers, [each.canonical() for each in events], pause_s=PAUSE_S) as senders:
            for _ in range(BROKER_KILLS):
                time.sleep(dice.uniform(0.5, 3.0))
                before = wait_for_broker(data)
                os.kill(before, signal.SIGKILL)
                wait_for_broker(data, other_than=before)
            senders.wait_for_all(180)
        wait_until_released(data)
        drain(target_of(instance(data)).broker)
        client = connect(target_of(instance(data)).clickhouse)
        try:
            archived = {(source, id_) for source, id_ in client.query("SELECT source, id FROM events").result_rows}
            assert {(event.source, event.id) for event in events} - archived == set()
            assert not senders.strange
            assert dict(content_hash(client, "live")) == undisturbed
        finally:
            client.close()


def instance(data: Path) -> Instance:
    """The one that runs; between two lives of the broker it still does."""
    found = running_instance(data)
    assert found is not None, (data.parent / "up.out").read_text()[-4000:]
    return found


def wait_for_broker(data: Path, other_than: int = 0) -> int:
    """The process id of the embedded broker, once the gateway is there as well."""
    deadline_s = time.monotonic() + 120
    while True:
        pids = instance(data).pids
        if {"broker", "gateway"} <= pids.keys() and pids["broker"] != other_than:
            return pids["broker"]
        assert time.monotonic() < deadline_s, (data.parent / "up.out").read_text()[-4000:]
        time.sleep(0.1)


def drain(broker: str) -> None:
    """Until the store has all that came of everything on the log."""

    async def wait() -> None:
        async with BatchProducer(broker) as producer:
            await drained(broker, producer)

    asyncio.run(wait())


def wait_until_released(data: Path) -> None:
    """Until the store has everything that the gateway took, and its spool is empty."""
    deadline_s = time.monotonic() + 120
    while any(embedded_spool(data).glob("*.seg")):
        assert time.monotonic() < deadline_s, (data / "logs" / "gateway.log").read_text()[-4000:]
        time.sleep(0.2)
