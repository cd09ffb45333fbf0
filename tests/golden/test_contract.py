"""The generated documents are the committed ones, are valid, and say of an event what decoding says of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploy.policy_files import load_policy_book
from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, Event
from schemas.export import contract_documents, write_contract
from schemas.export.asyncapi import channels
from schemas.export.meanings import MEANINGS
from schemas.policy import PolicyBook
from schemas.topics import TOPICS
from streams.inference.facts import facts
from streams.simulation.scenario import Scenario
from tests.unit.schemas.examples import Json, encoded, example, examples

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schemas" / "generated"
END = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def documents() -> dict[str, Json]:
    return contract_documents()


@pytest.fixture(scope="module")
def simulated() -> list[Event]:
    """Two weeks of events; enough for every type that sources send by themselves."""
    scenario = Scenario(3, END, lambda name: "k1:" + hashlib.sha256(name.encode()).hexdigest()[:32], weeks=2)
    return list(scenario.history())


@pytest.fixture(scope="module")
def demo_policies() -> PolicyBook:
    return load_policy_book([ROOT / "deploy" / "policies" / "demo.yaml"])


def validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator(schema)


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_committed_documents_are_the_generated_ones(tmp_path: Path) -> None:
    """Otherwise: `python -m schemas.export schemas/generated`, and look at the difference as a reader of it would."""
    write_contract(tmp_path)
    assert files(tmp_path) == files(COMMITTED)


def test_the_command_writes_the_same_files_whatever_the_hash_seed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemas.export", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONHASHSEED": "17", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == files(COMMITTED)
    assert done.stdout.splitlines() == [str(tmp_path / name) for name in sorted(files(COMMITTED))]


def test_the_command_wants_one_folder() -> None:
    done = subprocess.run([sys.executable, "-m", "schemas.export"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")


def test_every_schema_is_valid_json_schema_2020_12(documents: dict[str, Json]) -> None:
    schemas = {name: each for name, each in documents.items() if name != "asyncapi.json"}
    for schema in schemas.values():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)
    assert len({schema["$id"] for schema in schemas.values()}) == len(schemas)
    assert {name for name in schemas if name.startswith("events/")} == {f"events/{kind}.json" for kind in EVENT_TYPES}


def test_every_event_type_says_what_it_means() -> None:
    assert set(MEANINGS) == set(EVENT_TYPES)


def test_every_simulated_event_is_valid(documents: dict[str, Json], simulated: list[Event]) -> None:
    by_type = {kind: validator(documents[f"events/{kind}.json"]) for kind in EVENT_TYPES}
    assert len(simulated) > 4000
    for event in simulated:
        by_type[event.type].validate(json.loads(event.canonical()))


@pytest.mark.parametrize("event", examples(), ids=lambda event: event["type"])
def test_every_example_is_valid_as_its_type_and_as_no_other(documents: dict[str, Json], event: Json) -> None:
    valid = [kind for kind in EVENT_TYPES if validator(documents[f"events/{kind}.json"]).is_valid(event)]
    assert valid == [event["type"]]
    validator(documents["event.json"]).validate(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"process": "ed/ward"},
        {"source": "/ehr#1"},
        {"id": ""},
        {"id": 7},
        {"sequence": -1},
        {"subject": "a\tb"},
        {"data": {"note": "free text"}},
        {"data": {"actor": {"id": "Jane Roe"}}},
        {"data": {"intent": "escalation"}},
        {"data": {"elements": {"situation": "yes"}}},
    ],
)
def test_what_decoding_refuses_the_schema_refuses_too(documents: dict[str, Json], changes: Json) -> None:
    event = example("handoff.offered", **changes)
    with pytest.raises(InvalidEvent):
        decode(encoded(event))
    assert not validator(documents["event.json"]).is_valid(event)


_VALUES = st.sampled_from([None, True, 0, -1, 3, 2.5, "", "x", "2026-03-02T08:00:00Z", [], ["a"], {}, {"a": True}])


@settings(deadline=None, max_examples=300)
@given(which=st.integers(0, len(EVENT_TYPES) - 1), data=st.data())
def test_what_decoding_accepts_the_schema_accepts_too(which: int, data: st.DataObject) -> None:
    event = examples()[which]
    place = data.draw(st.sampled_from([event, event["data"]]))
    place[data.draw(st.sampled_from([*place, "site", "sequence"]))] = data.draw(_VALUES)
    try:
        decode(encoded(event))
    except InvalidEvent:
        return
    assert validator(contract_documents()["event.json"]).is_valid(event), event


def test_every_derived_row_is_valid(
    documents: dict[str, Json], simulated: list[Event], demo_policies: PolicyBook
) -> None:
    items: dict[str, list[Event]] = {}
    for event in simulated:
        items.setdefault(event.subject, []).append(event)
    seen: set[str] = set()
    for events in list(items.values())[:60]:
        for row in facts(events, demo_policies, END).rows.values():
            validator(documents[f"rows/{row.table}.json"]).validate(json.loads(row.model_dump_json()))
            seen.add(row.table)
    assert {f"rows/{table}.json" for table in seen} == {name for name in documents if name.startswith("rows/")}


def test_the_demonstration_policy_is_valid(documents: dict[str, Json], demo_policies: PolicyBook) -> None:
    for policy in demo_policies.policies:
        validator(documents["policy.json"]).validate(json.loads(policy.model_dump_json(exclude_none=True)))
    assert not validator(documents["policy.json"]).is_valid({"version": "v", "effective_from": "x", "processess": {}})


OFFERED_V0 = b"""{
  "specversion": "1.0", "type": "tieline.handoff.offered.v0",
  "source": "/ehr/main", "id": "4711-7", "time": "2024-03-02T09:10:00+01:00",
  "process": "ed-to-ward", "subject": "enc-4711",
  "data": {"handoff_id": "h2", "from_role": "ed-nurse", "to_role": "ward-nurse",
           "elements": ["situation", "medications"]}
}"""
OFFERED_V0_AS_V1 = (
    b'{"specversion":"1.0","id":"4711-7","source":"/ehr/main","time":"2024-03-02T08:10:00Z","subject":"enc-4711",'
    b'"process":"ed-to-ward","site":"","sequence":0,"type":"tieline.handoff.offered.v1","data":{"handoff_id":"h2",'
    b'"from_role":"ed-nurse","to_role":"ward-nurse","intent":"transfer",'
    b'"elements":{"medications":true,"situation":true}}}'
)


def test_an_offer_of_version_0_is_read_for_ever() -> None:
    assert decode(OFFERED_V0).canonical() == OFFERED_V0_AS_V1


def test_an_offer_of_version_0_is_checked_like_any_other() -> None:
    with pytest.raises(InvalidEvent, match=r"data\.to_role"):
        decode(OFFERED_V0.replace(b'"to_role": "ward-nurse"', b'"to_role": ""'))
    with pytest.raises(InvalidEvent, match="data"):
        decode(OFFERED_V0[: OFFERED_V0.index(b'"data"')] + b'"data": [1]}')


def test_asyncapi_has_the_topics_as_they_are_created(documents: dict[str, Json]) -> None:
    api = documents["asyncapi.json"]
    assert api["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(api["info"])
    assert list(api["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        channel = api["channels"][topic.name]
        binding = channel["bindings"]["kafka"]
        assert channel["address"] == binding["topic"] == topic.name
        assert binding["partitions"] == topic.partitions
        assert binding["topicConfiguration"]["cleanup.policy"] == (["compact"] if topic.compacted else ["delete"])
        assert binding["topicConfiguration"]["max.message.bytes"] == topic.max_record_bytes


def test_every_operation_is_on_a_channel_and_moves_its_messages(documents: dict[str, Json]) -> None:
    api = documents["asyncapi.json"]
    assert len(api["operations"]) == len(channels())
    for operation in api["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])
    received = [each for each in api["operations"].values() if each["action"] == "receive"]
    assert [each["channel"]["$ref"] for each in received] == ["#/channels/tieline.events"]
    assert set(api["channels"]["tieline.events"]["messages"]) == set(EVENT_TYPES)


def test_every_reference_leads_somewhere(documents: dict[str, Json]) -> None:
    references = list(_references(documents["asyncapi.json"]))
    assert len(references) > 50
    for reference in references:
        file, _, pointer = reference.partition("#")
        target: Any = documents[file.removeprefix("./") or "asyncapi.json"]
        for part in pointer.strip("/").split("/") if pointer else ():
            target = target[part]
        assert target


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_every_message_but_the_internal_one_has_a_key_and_a_payload(documents: dict[str, Json]) -> None:
    messages = documents["asyncapi.json"]["components"]["messages"]
    assert all(message["bindings"]["kafka"]["key"]["type"] == "string" for message in messages.values())
    assert [name for name, message in messages.items() if "payload" not in message] == ["state"]
    formats = {message["payload"]["schemaFormat"] for message in messages.values() if "payload" in message}
    assert formats == {"application/schema+json;version=draft-2020-12"}
