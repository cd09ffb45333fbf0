"""Fault 2: a Kafka broker killed and started again: the only one, and one of three, under load."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.kafka.cluster import MIN_IN_SYNC, NODES, KafkaCluster
from schemas.events import Event
from schemas.topics import TOPICS
from streams.apps.topic_admin import admin
from tests import brokers
from tests.brokers import Broker
from tests.faults.load import Load
from tests.faults.rig import WAIT_S, Rig, rig, rounds
from tests.integration.gateway.certificates import certificates
from tests.integration.gateway.secured_kafka import PASSWORD, SecuredKafka
from tests.integration.pipeline.running import APPS, Hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROUNDS = rounds(1, most=10)
ROUND_S = 12.0
LONGEST_OUTAGE_S = 4.0
AWAY, BACK = "the broker is away", "the broker answers again"


@pytest.fixture
def secured_kafka(tmp_path: Path) -> Iterator[SecuredKafka]:
    """One broker that asks for a password over TLS, with certificates made just now."""
    brokers.skip_without_kafka()
    folder = tmp_path / "certificates"
    folder.mkdir()
    broker = SecuredKafka(tmp_path / "kafka", certificates(folder))
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    """Three brokers, with topics as the command makes them."""
    with brokers.kafka_cluster(tmp_path / "cluster") as started:
        command = ["topics", "create", "--broker", started.address, "--replication", str(NODES)]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        yield started


@pytest.mark.timeout(3600)
def test_the_only_broker_killed_and_started_again_changes_no_row(
    secured_kafka: SecuredKafka, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    """The apps come with a password, over TLS: they log in anew after each outage."""
    dice = random.Random(10)
    broker = Broker("kafka", secured_kafka.address, secured_kafka.pid or 0)
    with rig(broker, tmp_path / "data", app_env=secured_kafka.password_env()) as tieline:
        with Load(broker.address, week, per_s=len(week) / (ROUNDS * ROUND_S)) as load:
            tieline.wait_until_stored(1)
            for number in range(ROUNDS):
                time.sleep(dice.uniform(0.0, 2.0))
                secured_kafka.kill()
                if number % 2:
                    time.sleep(dice.uniform(0.0, LONGEST_OUTAGE_S))
                else:
                    for name in APPS:
                        tieline.wait_until_metric(name, "tieline_broker_away", 1)
                secured_kafka.start()
                load.wait_until_sent(min(len(week), load.sent + 100))
        tieline.drain()
        for name in APPS:
            assert tieline.said(name, AWAY) > 0
            tieline.wait_until_said(name, BACK, tieline.said(name, AWAY))
        tieline.assert_undisturbed(undisturbed, week)
        assert_nobody_gave_up(tieline)
        assert all(PASSWORD not in line for name in APPS for line in tieline.log(name))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_one_of_three_brokers_killed_under_load_stops_nothing(
    cluster: KafkaCluster, tmp_path: Path, week: list[Event], undisturbed: Hash
) -> None:
    """While it is dead, events are acknowledged by the two others, folded and stored."""
    dice = random.Random(3)
    assert_replicated(cluster)
    broker = Broker("kafka", cluster.address, cluster.nodes[0].pid or 0)
    with rig(broker, tmp_path / "data") as tieline:
        with Load(cluster.address, week, per_s=len(week) / (ROUNDS * ROUND_S)) as load:
            tieline.wait_until_stored(1)
            for _ in range(ROUNDS):
                node = dice.choice(cluster.nodes)
                node.kill()
                assert_goes_on(tieline, load, week)
                node.start()
                wait_until_whole(cluster)
        tieline.drain()
        tieline.assert_undisturbed(undisturbed, week)
        assert_nobody_gave_up(tieline)
        for name in APPS:
            assert tieline.said(name, "Unable connect to node") > 0
            assert tieline.metrics(name)['tieline_log_lines_total{level="error"}'] > 0
    print(f"{ROUNDS} rounds, the longest wait for an acknowledgement {load.longest_gap_s:.1f} s")


def assert_goes_on(tieline: Rig, load: Load, events: list[Event]) -> None:
    """Events sent after this moment are acknowledged, folded and stored."""
    wanted, folded = min(len(events), load.sent + 100), tieline.metric("infer", "tieline_infer_events_total")
    load.wait_until_sent(wanted)
    tieline.wait_until_stored(wanted)
    tieline.wait_until_metric("infer", "tieline_infer_events_total", folded + 1)


def assert_replicated(cluster: KafkaCluster) -> None:
    """Every partition on every broker; all but one of the copies at least must have a record."""
    with admin(cluster.address) as client:
        described = client.describe_topics([topic.name for topic in TOPICS])
    copies = {len(partition["replica_nodes"]) for topic in described for partition in topic["partitions"]}
    assert (copies, MIN_IN_SYNC) == ({NODES}, NODES - 1)


def wait_until_whole(cluster: KafkaCluster) -> None:
    """Until every copy of every partition is in sync again."""
    deadline_s = time.monotonic() + WAIT_S
    while (behind := out_of_sync(cluster)) > 0:
        assert time.monotonic() < deadline_s, f"{behind} partitions are not in sync after {WAIT_S:.0f} s"
        time.sleep(0.2)


def out_of_sync(cluster: KafkaCluster) -> int:
    with admin(cluster.address) as client:
        described = client.describe_topics([topic.name for topic in TOPICS])
    return sum(len(partition["isr_nodes"]) < NODES for topic in described for partition in topic["partitions"])


def assert_nobody_gave_up(tieline: Rig) -> None:
    """The apps are the processes that were started: they waited, and were not started again."""
    assert {name: tieline.ended(name) for name in APPS} == dict.fromkeys(APPS)
