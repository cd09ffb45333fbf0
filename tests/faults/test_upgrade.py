"""Fault 9: what an earlier version left behind goes on under this one; a migration that stops half way is resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from schemas.decoding import decode
from schemas.events import Event
from sinks.clickhouse.content_hash import content_hash
from sinks.clickhouse.migrate import migrate, migrations, schema_state
from tests.brokers import Broker
from tests.faults.left_behind import put_tables, put_topics
from tests.faults.rig import Rig
from tests.golden.upgrade.recording import Recording
from tests.integration.pipeline.running import ROOT, undisturbed_hash

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.long]
FOLDER = ROOT / "tests" / "golden" / "upgrade"
START_S = 180.0
NO_BROKER = Broker("kafka", "127.0.0.1:1", 0)
RECORDINGS = sorted(path.parent.name for path in FOLDER.glob("*/about.json"))


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each version that was recorded."""
    return Recording(FOLDER / request.param)


@pytest.fixture
def upgraded(recording: Recording, fresh_kafka: Broker, tmp_path: Path) -> Iterator[Rig]:
    """The store of the earlier version, not migrated, and its topics; no app runs yet."""
    with rig_at_rest(recording, fresh_kafka, tmp_path) as tieline:
        put_topics(recording, fresh_kafka.address)
        yield tieline


@contextmanager
def rig_at_rest(recording: Recording, broker: Broker, folder: Path) -> Iterator[Rig]:
    """A running store with the tables of the earlier version, and nothing else."""
    tieline = Rig(broker, folder / "data", recording.policy, recording.about["as_of"])
    try:
        tieline.start_store()
        with closing(tieline.client()) as client:
            put_tables(recording, client)
        yield tieline
    finally:
        tieline.close()


@pytest.mark.timeout(600)
def test_what_an_earlier_version_left_goes_on_and_ends_as_a_new_run_does(
    recording: Recording, upgraded: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Items that are open in `tieline.state`, rows that the sink had not written, events that nobody had read."""
    events = all_events(recording)
    undisturbed = undisturbed_hash(events, tmp_path_factory.mktemp("new"), recording.policy)
    kill_while_migrating(upgraded)
    assert migrated(upgraded) == 0
    for app in ("infer", "sink"):
        upgraded.start_app(app)
    upgraded.send(decode(value) for value in recording.to_come())
    upgraded.drain()
    upgraded.assert_undisturbed(undisturbed, events)
    assert upgraded.metric("infer", "tieline_infer_restored_items_total") > 30
    assert upgraded.said("infer", "work items restored") > 0


def all_events(recording: Recording) -> list[Event]:
    """Those on the topic, and those to come."""
    values = [one.value.encode() for one in recording.records() if one.topic == "tieline.events" and one.value]
    return [decode(value) for value in (*values, *recording.to_come())]


def start_migrating(tieline: Rig) -> subprocess.Popen[bytes]:
    """`tieline migrate`, as users run it."""
    store = tieline.store
    env = {
        "TIELINE_CLICKHOUSE_URL": f"http://127.0.0.1:{tieline.port}",
        "TIELINE_CLICKHOUSE_USER": store.user,
        "TIELINE_CLICKHOUSE_PASSWORD": store.password.get_secret_value(),
    }
    with (tieline.folder / "migrate.out").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "migrate"], cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=log
        )


def migrated(tieline: Rig) -> int:
    """The exit code of a `tieline migrate` that nobody disturbs."""
    return start_migrating(tieline).wait(START_S)


def kill_while_migrating(tieline: Rig) -> None:
    """kill -9 of `tieline migrate` as soon as it is at work."""
    process = start_migrating(tieline)
    with closing(tieline.client()) as client:
        deadline_s = time.monotonic() + START_S
        while process.poll() is None and not client.command("EXISTS TABLE migrating"):
            assert time.monotonic() < deadline_s
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert schema_state(client).missing != []


def test_migrations_that_were_applied_are_those_that_we_have(recording: Recording) -> None:
    """A released migration is never edited: else this version would refuse the store of the earlier one."""
    ours = {migration.number: [migration.number, migration.name, migration.checksum] for migration in migrations()}
    assert recording.about["migrations"] == [ours[number] for number, _, _ in recording.about["migrations"]]


def test_a_migration_that_stops_half_way_is_resumed_and_loses_nothing(recording: Recording, tmp_path: Path) -> None:
    """Each one that is missing, as if its process had been killed between two of its statements."""
    known = migrations()
    with rig_at_rest(recording, NO_BROKER, tmp_path) as tieline, closing(tieline.client()) as client:
        before = content_hash(client)
        for number in range(len(recording.about["migrations"]), len(known)):
            for statement in known[number].statements[: len(known[number].statements) // 2]:
                client.command(statement)
            client.command("CREATE TABLE migrating (at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY at")
            assert migrate(client, known[: number + 1]) == [known[number].name]
        assert schema_state(client).missing == []
        assert content_hash(client) == before
