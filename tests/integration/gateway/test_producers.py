"""What `docs/producing.md` tells a producer to do works as it stands there, and its events are on the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from ssl import create_default_context

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from schemas.decoding import decode
from schemas.errors import ConfigError, TransientError
from schemas.events import Event, WorkItemAssigned, WorkItemWorked
from schemas.topics import DEAD_LETTERS, EVENTS, HANDOFFS, SIGNALS, TOPICS, event_key
from streams.apps.topic_admin import create_topics
from streams.client import EventMaker, GatewayClient, Refusal, Refused, produce
from streams.client.backoff import Backoff
from streams.transport.partitioner import partition_for
from tests import brokers
from tests.brokers import Broker
from tests.integration.gateway.certificates import certificates
from tests.integration.gateway.fenced import blocks, run_python, run_shell
from tests.integration.gateway.gateway_process import KEY, GatewayProcess, write_key
from tests.integration.gateway.guarded_kafka import PASSWORD, GuardedKafka, grant, login
from tests.integration.gateway.on_the_log import records

PAGE = "producing.md"
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)], scope="module")
def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of each kind with Tieline's topics and nothing in them."""
    start = brokers.tansu if request.param == "tansu" else brokers.kafka
    with start(tmp_path_factory.mktemp(request.param)) as broker:
        create_topics(broker.address)
        yield broker


@pytest.fixture(scope="module")
def gateway(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway on it."""
    process = GatewayProcess(own_broker.address, tmp_path_factory.mktemp("gateway")).start()
    yield process
    process.stop()


def token(gateway: GatewayProcess) -> str:
    return gateway.headers["Authorization"].removeprefix("Bearer ")


def on_the_log(broker: Broker, work_item: str) -> list[Event]:
    """The events of a work item; each is where its key belongs."""
    found = []
    for record in records(broker.address):
        event = decode(record.value or b"")
        if event.subject == work_item:
            assert record.key == event_key(event)
            found.append(event)
    return found


def test_shell_examples_put_their_events_on_the_log(
    gateway: GatewayProcess, own_broker: Broker, tmp_path: Path
) -> None:
    env = {"TOKEN": token(gateway), "GATEWAY": gateway.url}
    single, batch, check = (run_shell(code, tmp_path, env) for code in blocks(PAGE, "curl"))
    assert json.loads(single)["accepted"] == 1
    assert json.loads(batch)["accepted"] == 2
    assert [(each["code"], each["field"]) for each in json.loads(check)["errors"]] == [("missing_field", "data.role")]

    (assigned,) = on_the_log(own_broker, "INC-2203")[:1]
    assert assigned.data.actor is not None
    assert assigned.data.actor.id == KEY.hash_actor("account-4711")
    assert sorted(event.id for event in on_the_log(own_broker, "INC-2204")) == ["2204-1", "2204-2"]


def test_example_of_the_client_puts_its_events_on_the_log(gateway: GatewayProcess, own_broker: Broker) -> None:
    known = {"actor_key": gateway.folder / "actor.key", "gateway": gateway.url, "token": token(gateway)}
    for code in blocks(PAGE, "client"):
        names = run_python(code, known)
        assert (names["sent"].accepted, names["sent"].refused) == (2, ())
    offered, accepted = on_the_log(own_broker, "enc-4711")
    assert offered.type == "tieline.handoff.offered.v1"
    assert accepted.data.actor is not None
    assert accepted.data.actor.id == KEY.hash_actor("account-44")


def test_examples_for_kafka_put_their_events_where_their_keys_belong(own_broker: Broker, tmp_path: Path) -> None:
    write_key(tmp_path)
    known = {
        "broker": own_broker.address,
        "actor_key": tmp_path / "actor.key",
        "enable_idempotence": own_broker.kind == "kafka",
    }
    for code in blocks(PAGE, "kafka"):
        run_python(code, known)
    told = {event.id: event for event in on_the_log(own_broker, "INC-2203")}
    for number in ("2203-3", "2203-6"):
        actor = told[number].data.actor
        assert actor is not None
        assert actor.id == KEY.hash_actor("account-4711")
    expected = partition_for(b"incident/INC-2203", 24)
    assert _partitions(own_broker.address, b"incident/INC-2203") == {expected}


def test_client_sends_every_event_and_names_what_is_refused(gateway: GatewayProcess, own_broker: Broker) -> None:
    made = EventMaker("/client", "incident", key=KEY)
    events = [
        made.make(WorkItemWorked, id=str(n), work_item=f"C-{n % 50}", at=AT, actor=f"a{n}", role="desk")
        for n in range(1200)
    ]
    # Valid, but by a key that nobody registered here: only the gateway can know.
    foreign = EventMaker("/client", "incident", key=type(KEY)("foreign", KEY.secret))
    events[700] = foreign.make(WorkItemWorked, id="700", work_item="C-0", at=AT, actor="x", role="desk")
    with GatewayClient(gateway.url, token(gateway)) as client:
        first = client.send(events)
        again = client.send(events)
    assert first == again
    assert first.accepted == 1199
    assert first.refused == (Refusal(700, "unknown_key", "data.actor.id"),)
    sent = Counter(event.id for event in map(decode, _values(own_broker)) if event.source == "/client")
    assert len(sent) == 1199
    assert set(sent.values()) == {2}, "sent twice by two calls, and one event each: it is one identity"


def test_client_finds_out_how_much_the_gateway_takes(own_broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("version: 1\nevents: {max_body_bytes: 20000, max_events: 40}\n")
    gateway = GatewayProcess(own_broker.address, tmp_path).start()
    made = EventMaker("/small", "incident")
    events = [made.make(WorkItemWorked, id=str(n), work_item=f"S-{n}", at=AT, role="desk") for n in range(300)]
    try:
        with GatewayClient(gateway.url, token(gateway)) as client:
            assert client.send(events) == (300, ())
    finally:
        gateway.stop()


def test_client_speaks_tls_with_a_certificate_of_its_own(own_broker: Broker, tmp_path: Path) -> None:
    made = certificates(tmp_path)
    env = {
        "TIELINE_GATEWAY_TLS_CERT": str(made.server),
        "TIELINE_GATEWAY_TLS_KEY": str(made.server_key),
        "TIELINE_GATEWAY_TLS_CLIENT_CA": str(made.authority),
    }
    gateway = GatewayProcess(own_broker.address, tmp_path / "gateway", env=env)
    url = gateway.url.replace("http://", "https://")
    tls = create_default_context(cafile=made.authority)
    tls.load_cert_chain(made.client, made.client_key)
    event = EventMaker("/tls", "incident").make(WorkItemWorked, id="1", work_item="w", at=AT, role="desk")
    gateway.start_soon()  # and the client comes again until it is there
    try:
        with GatewayClient(url, token(gateway), tls=tls, backoff=Backoff(attempts=60, longest_s=1.0)) as client:
            assert client.send([event]) == (1, ())
        with GatewayClient(url, token(gateway)) as client, pytest.raises(ConfigError, match="its certificate"):
            client.send([event])
        no_certificate = create_default_context(cafile=made.authority)
        stranger = GatewayClient(url, token(gateway), tls=no_certificate, backoff=Backoff(attempts=1))
        with stranger, pytest.raises(TransientError):
            stranger.send([event])
    finally:
        gateway.stop()


def test_client_without_a_valid_token_is_told_so(gateway: GatewayProcess) -> None:
    event = EventMaker("/client", "incident").make(WorkItemWorked, id="1", work_item="w", at=AT, role="desk")
    with GatewayClient(gateway.url, "tieline_no_such") as client, pytest.raises(Refused) as caught:
        client.send([event])
    assert (caught.value.status, caught.value.code) == (401, "bad_token")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """A Kafka with an authorizer, Tieline's topics, and the rights that the page gives."""
    if (missing := brokers.missing_tools()) and not brokers.must_run():
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}, not found here")
    broker = GuardedKafka(tmp_path_factory.mktemp("guarded"))
    try:
        broker.start()
        create_topics(broker.address)
        assert not _may_write(broker, "tickets", EVENTS)
        assert sum(grant(broker.address, script) for script in blocks(PAGE, "acls")) > 40
        deadline_s = time.monotonic() + 20  # the broker takes rights over a moment after it acknowledged them
        while not _may_write(broker, "tickets", EVENTS):
            assert time.monotonic() < deadline_s
        yield broker
    finally:
        broker.stop()


@pytest.mark.kafka
def test_rights_of_the_page_are_no_more_than_needed(guarded: GuardedKafka) -> None:
    assert not _may_write(guarded, "tickets", DEAD_LETTERS)
    assert not _may_read(guarded, "tickets", EVENTS)
    assert _may_write(guarded, "tieline-gateway", DEAD_LETTERS)
    assert not _may_read(guarded, "tieline-gateway", EVENTS)
    assert _may_read(guarded, "tieline-infer", EVENTS)
    assert not _may_write(guarded, "tieline-infer", EVENTS)
    assert all(_may_read(guarded, "tieline-sink", topic.name) for topic in TOPICS)
    assert not _may_write(guarded, "tieline-sink", EVENTS)
    assert _may_read(guarded, "tieline-signals", SIGNALS)
    assert not _may_read(guarded, "tieline-signals", EVENTS)


@pytest.mark.kafka
def test_rights_of_the_page_are_enough_for_the_gateway(guarded: GuardedKafka, tmp_path: Path) -> None:
    event = EventMaker("/gated", "incident").make(WorkItemWorked, id="1", work_item="G-2", at=AT, role="desk")
    gateway = GatewayProcess(guarded.guarded, tmp_path / "gateway", env=_environment("tieline-gateway")).start()
    try:
        with GatewayClient(gateway.url, token(gateway)) as client:
            assert client.send([event]).accepted == 1
        deadline_s = time.monotonic() + 20
        while not any(record.key == event_key(event) for record in records(guarded.address)):
            assert time.monotonic() < deadline_s, gateway.log
            time.sleep(0.2)
    finally:
        gateway.stop()


@pytest.mark.kafka
def test_rights_of_the_page_are_enough_to_produce_and_to_infer(guarded: GuardedKafka, tmp_path: Path) -> None:
    known = {
        "broker": guarded.guarded,
        "protocol": "SASL_PLAINTEXT",
        "mechanism": "PLAIN",
        "password": PASSWORD,
        "ca_file": None,
    }
    (code,) = blocks(PAGE, "login")
    producer = run_python(code, known)["producer"]
    made = EventMaker("/tickets", "incident", key=KEY)
    for number, role in enumerate(("desk", "network")):
        event = made.make(WorkItemAssigned, id=str(number), work_item="G-1", at=AT, sequence=number, role=role)
        produce([event], lambda topic, key, value: producer.send(topic, key=key, value=value))[0].get(timeout=30)
    producer.close()
    command = [sys.executable, "-m", "deploy.cli", "worker", "infer", "--broker", guarded.guarded]
    with (tmp_path / "infer.out").open("wb") as said:
        infer = subprocess.Popen(command, env={**os.environ, **_environment("tieline-infer")}, stdout=said, stderr=said)
    try:
        deadline_s = time.monotonic() + 60
        while not records(guarded.address, HANDOFFS):
            assert infer.poll() is None, (tmp_path / "infer.out").read_text()
            assert time.monotonic() < deadline_s, (tmp_path / "infer.out").read_text()
            time.sleep(0.5)
    finally:
        infer.terminate()
        infer.wait(30)


def _environment(principal: str) -> dict[str, str]:
    return {
        "TIELINE_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "TIELINE_KAFKA_SASL_MECHANISM": "PLAIN",
        "TIELINE_KAFKA_SASL_USERNAME": principal,
        "TIELINE_KAFKA_SASL_PASSWORD": PASSWORD,
    }


def _may_write(broker: GuardedKafka, who: str, topic: str) -> bool:
    producer = KafkaProducer(
        bootstrap_servers=broker.guarded, acks="all", enable_idempotence=True, max_block_ms=10_000, **login(who)
    )
    try:
        producer.send(topic, key=b"k", value=b"v").get(timeout=20)
    except KafkaError:
        return False
    finally:
        producer.close(timeout=5)
    return True


def _may_read(broker: GuardedKafka, who: str, topic: str) -> bool:
    consumer = KafkaConsumer(
        bootstrap_servers=broker.guarded, group_id=None, auto_offset_reset="earliest", **login(who)
    )
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.beginning_offsets([TopicPartition(topic, 0)])
        consumer.poll(timeout_ms=500)
    except KafkaError:
        return False
    finally:
        consumer.close()
    return True


def _values(broker: Broker) -> list[bytes]:
    return [record.value or b"" for record in records(broker.address)]


def _partitions(address: str, key: bytes) -> set[int]:
    """Where the records of a key are."""
    consumer = KafkaConsumer(bootstrap_servers=address, group_id=None, auto_offset_reset="earliest")
    try:
        consumer.assign([TopicPartition(EVENTS, number) for number in range(24)])
        consumer.seek_to_beginning()
        found: set[int] = set()
        for _ in range(20):
            for where, batch in consumer.poll(timeout_ms=250).items():
                found |= {where.partition for record in batch if record.key == key}
    finally:
        consumer.close()
    return found
