"""`tieline dead-letters` on a running Tieline: what fits now is used, once; what does not is said; nobody is named."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.commands.dead_letters import app
from deploy.composition.drain import drained
from deploy.embedded.instance import running_instance
from schemas import topics
from schemas.dead_letter import DeadLetter, dead_letter_id, payload_hash
from schemas.topics import PARTITIONS
from streams.gateway.actors import read_or_create_actor_key
from streams.transport.partitioner import partition_for
from streams.transport.producer import BatchProducer
from tests import brokers
from tests.brokers import Broker
from tests.builders import offered, person, raw_event
from tests.integration.embedded.tieline import query, up
from tests.integration.pipeline.running import ROOT, Running, running

pytestmark = pytest.mark.slow

SECRET = "Anna-Example-4711"
DEMO_POLICY = ROOT / "deploy" / "policies" / "demo.yaml"
HOUR_MS = 3_600_000


class Refused:
    """A running Tieline that has refused records of every kind; commands are meant for it."""

    def __init__(self, tieline: Running, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tieline = tieline
        self.key_file = folder / "actor.key"
        self.key = read_or_create_actor_key(self.key_file)
        settings = tieline.store
        monkeypatch.setenv("TIELINE_BROKER", tieline.broker.address)
        monkeypatch.setenv("TIELINE_CLICKHOUSE_URL", f"http://127.0.0.1:{tieline.port}")
        monkeypatch.setenv("TIELINE_CLICKHOUSE_USER", settings.user)
        monkeypatch.setenv("TIELINE_CLICKHOUSE_PASSWORD", settings.password.get_secret_value())
        monkeypatch.setenv("TIELINE_POLICIES", str(DEMO_POLICY))

    def run(self, *arguments: str) -> Result:
        """`tieline dead-letters` with these arguments; what it prints never names anybody."""
        key = ["--actor-key", str(self.key_file)] if arguments[0] == "retry" else []
        done = CliRunner().invoke(app, [*arguments, *key], catch_exceptions=False)
        assert SECRET not in done.output
        assert done.exit_code == 0, done.output
        return done

    def retry(self, *arguments: str) -> Counter[tuple[str, str]]:
        """(reason, outcome) of each letter."""
        lines = map(json.loads, self.run("retry", "--json", *arguments).stdout.splitlines())
        return Counter((line["reason"], line["outcome"]) for line in lines)

    def produce(self, key: bytes | None, value: bytes | None, *, shift: int = 0, ago_ms: int = 0) -> None:
        async def send() -> None:
            number = (partition_for(key or b"", PARTITIONS) + shift) % PARTITIONS
            at = int(time.time() * 1000) - ago_ms
            async with BatchProducer(self.tieline.broker.address) as producer:
                await producer.produce(topics.EVENTS, number, [(key, value)], timestamp_ms=at)

        asyncio.run(send())

    def offer(self, item: str, **changes: Any) -> bytes:
        """An offer on a work item of its own, by somebody of this site."""
        actor = changes.pop("actor", {"id": self.key.hash_actor("somebody"), "kind": "human"})
        raw = raw_event("handoff.offered", 0, subject=item, actor=actor, handoff_id=item, from_role="a", to_role="b")
        return json.dumps({**raw, **changes}).encode()

    def refuse_everything(self) -> None:
        self.produce(b"p/shifted", self.offer("shifted"), shift=1)
        self.produce(b"p/other", self.offer("keyed"))
        self.produce(None, self.offer("unkeyed"))
        self.produce(b"p/early", self.offer("early", time=datetime.now(UTC).isoformat()), ago_ms=3 * HOUR_MS)
        self.produce(b"p/named", self.offer("named", actor={"id": SECRET, "kind": "human"}))
        self.produce(b"p/foreign", self.offer("foreign", actor=person(1, key="elsewhere")), shift=1)
        self.produce(b"p/broken", f"{SECRET} is not JSON".encode())
        self.produce(b"p/noted", self.offer("noted", note=SECRET).replace(b'"data": {', b'"data": {"note": "x", '))
        self.produce(b"p/empty", None)
        for b in ("ward", "icu"):
            self.tieline.send([offered(0, id="same", b=b, subject="twice")])
        self.tieline.drain()

    def items(self) -> list[str]:
        return [str(row[0]) for row in self.tieline.rows("SELECT work_item FROM handoffs FINAL ORDER BY work_item")]


@pytest.fixture(scope="module", params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    start = brokers.tansu if request.param == "tansu" else brokers.kafka
    with start(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture
def refused(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refused]:
    with running(broker, tmp_path / "data", DEMO_POLICY) as tieline:
        found = Refused(tieline, tmp_path, monkeypatch)
        found.refuse_everything()
        yield found


def test_a_retry_brings_what_fits_now_once_and_says_why_the_rest_does_not(refused: Refused) -> None:
    letters = refused.tieline.rows("SELECT code FROM dead_letters FINAL")
    assert Counter(str(code) for (code,) in letters) == {
        "wrong_partition": 2,
        "wrong_key": 2,
        "future": 1,
        "invalid_value": 1,
        "not_json": 1,
        "unknown_field": 1,
        "empty": 1,
        "conflict": 1,
    }
    assert refused.items() == ["twice"]
    _keep_gateway_letter(refused)
    expected = {
        ("wrong_partition", "sent"): 1,
        ("wrong_partition", "invalid"): 1,
        ("wrong_key", "sent"): 2,
        ("future", "sent"): 1,
        ("invalid_value", "sent"): 1,
        ("not_json", "invalid"): 1,
        ("unknown_field", "invalid"): 1,
        ("empty", "invalid"): 1,
        ("conflict", "decided"): 1,
        ("bad_time", "never_kept"): 1,
    }
    untouched = refused.tieline.hash()
    assert refused.retry("--dry-run") == expected
    refused.tieline.drain()
    assert refused.tieline.hash() == untouched, "a dry run sends nothing"

    assert refused.retry() == expected
    assert refused.items() == ["early", "keyed", "named", "shifted", "twice", "unkeyed"]
    actors = refused.tieline.rows("SELECT payload FROM events FINAL WHERE subject = 'named'")
    assert refused.key.hash_actor(SECRET) in str(actors)
    assert SECRET not in str(actors)

    after = refused.tieline.hash()
    again = {(reason, "used" if outcome == "sent" else outcome): n for (reason, outcome), n in expected.items()}
    assert refused.retry() == again
    refused.tieline.drain()
    assert refused.tieline.hash() == after, "a second retry changes nothing"
    assert len(letters) + 1 == refused.tieline.rows("SELECT count() FROM dead_letters FINAL")[0][0]

    _said_in_words(refused)
    _listed_and_exported(refused)


def _keep_gateway_letter(refused: Refused) -> None:
    """As the gateway writes one: it keeps no payload."""
    letter = DeadLetter(
        id=dead_letter_id("bad_time", "tickets", -1, -1, b"x"),
        stage="gateway",
        code="bad_time",
        topic="tickets",
        payload_sha256=payload_hash(b"x"),
        payload_bytes=1,
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )

    async def send() -> None:
        async with BatchProducer(refused.tieline.broker.address) as producer:
            await producer.produce(topics.DEAD_LETTERS, 0, [(letter.id.encode(), letter.model_dump_json().encode())])

    asyncio.run(send())
    refused.tieline.drain()


def _said_in_words(refused: Refused) -> None:
    said = refused.run("retry").output
    assert "5 used already" in said
    assert "4 still invalid; nothing was produced" in said
    assert "1 wrong_partition, now unknown_key at data.actor.id" in said
    assert "1 not_json, still not_json" in said
    assert "1 refused before it was written down" in said
    assert "no such dead letters" in refused.run("retry", "--reason", "too_large").output


def _listed_and_exported(refused: Refused) -> None:
    def listed(*arguments: str) -> list[DeadLetter]:
        lines = refused.run("list", "--json", *arguments).stdout.splitlines()
        return [DeadLetter.model_validate_json(line) for line in lines]

    every = listed()
    assert len(every) == 11
    assert [letter.at for letter in every] == sorted((letter.at for letter in every), reverse=True)
    assert len(listed("--limit", "3")) == 3
    assert {letter.code for letter in listed("--reason", "future", "--reason", "empty")} == {"future", "empty"}
    assert [letter.code for letter in listed("--stage", "gateway")] == ["bad_time"]
    assert [letter.code for letter in listed("--source", "tickets")] == ["bad_time"]
    assert [letter.code for letter in listed("--until", "2020-01-02")] == ["bad_time"]
    assert {letter.code for letter in listed("--since", "1h")} == {letter.code for letter in every} - {
        "bad_time",
        "future",
    }
    assert listed(every[0].id[:12]) == [every[0]]
    assert f"10 of {len(every)}" in refused.run("list", "--limit", "10").output
    assert every[0].payload_sha256 in refused.run("show", every[0].id[:12]).output
    exported = refused.run("export").stdout.splitlines()
    assert {DeadLetter.model_validate_json(line).id for line in exported} == {letter.id for letter in every}


def test_what_another_broker_had_at_that_place_is_not_mistaken_for_the_record(refused: Refused) -> None:
    """A fresh broker counts from 0 again: other records are at the same places, or none."""
    client = refused.tieline.client()
    client.command(
        "INSERT INTO dead_letters SELECT concat('moved', id), stage, code, field, topic, partition,"
        " offset + if(code = 'wrong_key', 1000000, 0), hex(SHA256(id)), payload_bytes, at FROM dead_letters FINAL"
        " WHERE code IN ('wrong_key', 'future')"
    )
    client.close()
    assert refused.retry("moved") == {("wrong_key", "gone"): 2, ("future", "gone"): 1}


@pytest.mark.long
def test_a_retry_on_the_embedded_default_leaves_no_spool_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the broker keeps nothing: until the store has an event, it is on disk."""
    for name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL", "TIELINE_ACTOR_KEY"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    with up(data):
        instance = running_instance(data)
        assert instance is not None
        key = read_or_create_actor_key(data / "actor.key")
        actor = {"id": key.hash_actor("somebody"), "kind": "human"}
        raw = raw_event("handoff.offered", 0, actor=actor, handoff_id="h1", from_role="a", to_role="b")

        async def produce() -> None:
            number = (partition_for(b"p/w1", PARTITIONS) + 1) % PARTITIONS
            async with BatchProducer(f"127.0.0.1:{instance.ports['broker']}") as producer:
                await producer.produce(topics.EVENTS, number, [(b"p/w1", json.dumps(raw).encode())])
                await drained(f"127.0.0.1:{instance.ports['broker']}", producer)

        asyncio.run(produce())
        for outcome in ("sent", "used"):
            done = CliRunner().invoke(app, ["retry", "--json", "--data", str(data)], catch_exceptions=False)
            assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == [outcome]
        assert query(data, "SELECT work_item FROM open_handoffs") == [{"work_item": "w1"}]
        assert not list((data / "spool").glob("*.events"))
