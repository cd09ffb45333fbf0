"""Names and texts planted at every way in of a whole run: none is in a table, a topic, a log, a metric or a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.composition.drain import drained
from deploy.composition.target import Target, target_of
from deploy.embedded.instance import prepare, running_instance
from schemas import topics
from schemas.topics import TOPICS
from sinks.clickhouse.settings import connect
from streams.transport.producer import BatchProducer
from tests.builders import raw_event
from tests.integration.embedded.tieline import run, tieline, up
from tests.integration.gateway.on_the_log import records
from tests.integration.gateway.planting import KEY, NAME, PLANTED, SECRET, SECRET_ENV, SOURCES, TEXT, Asking, planted

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
MAPPING = """
format: csv
process: p
work_item: ticket
time: {attribute: at}
role: team
actor: {attribute: who}
states:
  - when: {what: opened}
    means: opened
  - when: {what: worked}
    means: working
"""


@pytest.mark.slow
def test_planted_words_are_in_no_table_topic_log_metric_or_file_of_a_whole_run(tmp_path: Path) -> None:
    data = prepare(tmp_path / "data")
    (data / "sources.yaml").write_text(SOURCES)
    with up(data, env={SECRET_ENV: SECRET, "TIELINE_LOG_FORMAT": "json"}):
        instance = running_instance(data)
        assert instance is not None
        target = target_of(instance)
        token = (data / "gateway.token").read_text().strip()
        gateway = Asking(int(instance.gateway_url.rstrip("/").rpartition(":")[2]), token)
        planted(gateway)
        assert {gateway.post("/v1/events", each) for each in handed_over()} == {202}
        imported = import_log(tmp_path, data)
        drain(target)
        on_events = wire(target, topics.EVENTS)
        straight_to_kafka(target)
        said = [imported, gateway.said, *commands(tmp_path, data)]
        held = stored(target)
        found = {
            "answers": b"".join(said),
            "tables": held,
            "topics": on_events + b"".join(wire(target, each.name, each.partitions) for each in TOPICS[1:]),
        }
    found["files and logs"] = b"".join(contents(data)) + (tmp_path / "up.out").read_bytes()
    words = {(where, word) for where, content in found.items() for word in PLANTED if word.encode() in content}
    assert words - {("answers", KEY)} == set()  # HL7 wants its own control id back, whatever it is
    assert not [where for where, content in found.items() if SECRET.encode() in content]


def handed_over() -> Iterator[dict[str, object]]:
    """A handoff that is accepted and worked on, by somebody with a name."""
    who = {"id": NAME, "kind": "human"}
    steps = [
        ("handoff.offered", {"handoff_id": "h", "from_role": "a", "to_role": "b"}),
        ("handoff.accepted", {"handoff_id": "h", "role": "b"}),
        ("work_item.worked", {"role": "b"}),
    ]
    for number, (noun, more) in enumerate(steps):
        yield raw_event(noun, number, subject="w", id=f"handed-{number}", actor=who, **more)


def import_log(tmp_path: Path, data: Path) -> bytes:
    """A log whose people have names and whose tickets have texts; what the command said."""
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    rows = [
        f"t{number},{BEGAN:%Y-%m-%dT%H:%M:%SZ},{what},desk,{NAME},{TEXT}"
        for number in range(5)
        for what in ("opened", "worked", TEXT)
    ]
    log.write_text("\n".join(["ticket,at,what,team,who,note", *rows, NAME, f"t9,{TEXT},opened,desk,{NAME},{TEXT}"]))
    done = run("import", str(log), "--mapping", str(mapping), "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    return (done.stdout + done.stderr).encode()


def straight_to_kafka(target: Target) -> None:
    """Records of a producer that has not read the contract; infer refuses them by place and code."""
    good = raw_event("work_item.opened", 1, role="a", subject="w9", id="x1")
    odd = [
        NAME.encode(),
        json.dumps({**good, "subject": NAME, "data": TEXT}).encode(),
        json.dumps({**good, "data": {"role": "a", "actor": {"id": NAME, "kind": "human"}}}).encode(),
        json.dumps({**good, NAME: TEXT}).encode(),
        json.dumps({**good, "time": TEXT}).encode(),
    ]

    async def send() -> None:
        async with BatchProducer(target.broker) as producer:
            await producer.produce(topics.EVENTS, 3, [(NAME.encode(), value) for value in odd])
            await drained(target.broker, producer)

    asyncio.run(send())


def drain(target: Target) -> None:
    async def wait() -> None:
        async with BatchProducer(target.broker) as producer:
            await drained(target.broker, producer)

    asyncio.run(wait())


def commands(tmp_path: Path, data: Path) -> Iterator[bytes]:
    """What people see and take away."""
    shown = [("status", "--json"), ("dead-letters", "list"), ("runs", "list")]
    for command in shown:
        yield tieline(*command, "--data", str(data)).encode()
    out = str(tmp_path / "out.ndjson")
    tieline("dead-letters", "export", "--output", out, "--data", str(data))
    yield Path(out).read_bytes()
    tieline("export", "ocel", "--with-actors", "--out", str(tmp_path / "log.json"), "--data", str(data))
    yield (tmp_path / "log.json").read_bytes()


def stored(target: Target) -> bytes:
    """Every row of every table, as text. There is something in them."""
    client = connect(target.clickhouse)
    try:
        names = [
            row[0]
            for row in client.query(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
            ).result_rows
        ]
        held = {name: client.raw_query(f"SELECT * FROM `{name}` FORMAT JSONEachRow") for name in names}
    finally:
        client.close()
    assert held["handoffs"]
    assert held["events"].count(b"\n") >= 10
    assert held["dead_letters"].count(b"\n") >= 15
    return b"".join(held.values())


def wire(target: Target, topic: str, partitions: int = topics.PARTITIONS) -> bytes:
    """Keys, values and headers of every record."""
    found = records(target.broker, topic, partitions)
    return b"".join((one.key or b"") + (one.value or b"") + repr(one.headers).encode() for one in found)


def contents(data: Path) -> Iterator[bytes]:
    return (each.read_bytes() for each in data.rglob("*") if each.is_file())
