"""Object-centric logs: ours is valid and comes back byte for byte; others' become events by a mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.errors import ConfigError
from schemas.events import Event
from streams.event_files import FileReport, Meaning
from streams.event_files.ocel_event import object_id
from streams.event_files.ocel_file import OwnOcelFile
from streams.gateway.log_import import Skipped, parse_mapping
from tests.builders import assigned, offered, sent
from tests.unit.event_files.ocel_log import check, saved, written
from tests.unit.event_files.written import by_item, items_of
from tests.unit.log_import.logs import KEY
from tests.unit.schemas.examples import encoded, examples

EVERY_TYPE: list[Event] = [decode(encoded(example)) for example in examples()]


def read_back(path: Path) -> list[bytes]:
    found = list(OwnOcelFile(path))
    assert not [each for each in found if isinstance(each, Skipped)]
    return sorted(each.payload for each in found if not isinstance(each, Skipped))


def contents(events: list[Event]) -> list[bytes]:
    return sorted(event.canonical() for event in events)


def test_every_event_type_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(written(EVERY_TYPE, with_actors=True))
    check(json.loads(path.read_bytes()))
    assert read_back(path) == contents(EVERY_TYPE)


def test_without_actors_everything_but_the_actor_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(written(EVERY_TYPE))
    check(json.loads(path.read_bytes()))
    for event in EVERY_TYPE:
        if event.data.actor is not None:
            assert event.data.actor.id.encode() not in path.read_bytes()
    nobody = [event.model_copy(update={"data": event.data.model_copy(update={"actor": None})}) for event in EVERY_TYPE]
    assert read_back(path) == contents(nobody)


awkward = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12
) | st.sampled_from(["a/b", "a%2Fb", "%", "a|b#c", '"', "\\", "ü 💬", "}]", ",\n".strip()])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(awkward, awkward, awkward), min_size=1, max_size=8))
def test_names_of_any_kind_come_back_and_stay_apart(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[str, str, str]]
) -> None:
    events = [
        offered(number, handoff_id=handoff, b=role, subject=subject, id=f"{subject}/{number}")
        for number, (subject, handoff, role) in enumerate(given)
    ]
    path = tmp_path_factory.mktemp("ocel") / "a.json"
    path.write_bytes(written(events, with_actors=True))
    check(json.loads(path.read_bytes()))
    assert read_back(path) == contents(events)


@given(st.lists(awkward, max_size=4), st.lists(awkward, max_size=4))
def test_different_things_have_different_ids(one: list[str], other: list[str]) -> None:
    assert (object_id("role", one) == object_id("role", other)) == (one == other)


def test_objects_say_how_they_relate() -> None:
    events = [
        offered(1, "h1"),
        offered(2, "h2", follows="h1"),
        sent(3, "m1", "nurse", ["ward"], problem_id="p1"),
        sent(4, "m2", "ward", ["nurse", "lab"], in_reply_to="m1"),
    ]
    log = json.loads(written(events))
    check(log)
    objects = {each["id"]: each for each in log["objects"]}
    assert sorted(objects) == [
        *("handoff:p/w1/h1", "handoff:p/w1/h2", "message:p/w1/m1", "message:p/w1/m2", "problem:p/w1/p1"),
        *("role:p/lab", "role:p/nurse", "role:p/ward", "work_item:p/w1"),
    ]
    assert objects["handoff:p/w1/h2"]["relationships"] == [{"objectId": "handoff:p/w1/h1", "qualifier": "follows"}]
    replied = log["events"][[each["time"] for each in log["events"]].index("2026-01-05T08:04:00Z")]
    assert [(each["qualifier"], each["objectId"]) for each in replied["relationships"]] == [
        ("of", "work_item:p/w1"),
        ("by", "role:p/ward"),
        ("to", "role:p/lab"),
        ("to", "role:p/nurse"),
        ("about", "message:p/w1/m2"),
        ("in reply to", "message:p/w1/m1"),
    ]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"", 0),
        (b"[]", 0),
        (b'{"events":[1,2', 2),
        (b'{"events":[{"type":"x"}, nonsense]}', 1),
        (b'{"events":' + b"[" * 200_000, 0),
        (b'{"events":[NaN]}', 0),
        (b'{"events":[{}],"objects":\xff}', 1),
        (b'{"events" 1}', 0),
        (b"{1:[]}", 0),
    ],
)
def test_a_broken_log_is_told_of_after_what_could_be_read(tmp_path: Path, text: bytes, events: int) -> None:
    (tmp_path / "a.json").write_bytes(text)
    report = FileReport()
    assert items_of([tmp_path / "a.json"], report=report) == {}
    assert (report.left_out, len(report.unreadable)) == (events, 1)


@pytest.mark.parametrize("spaces", [0, 1024 * 1024 - 30, 1024 * 1024 - 5])
def test_elements_that_lie_across_two_reads_are_read_whole(tmp_path: Path, spaces: int) -> None:
    log = written([assigned(1, "nurse")], with_actors=True)
    (tmp_path / "a.json").write_bytes(b"{" + b" " * spaces + b'"version": 12345678901234567890, ' + log[1:])
    assert read_back(tmp_path / "a.json") == contents([assigned(1, "nurse")])


def test_bytes_that_are_no_text_cost_their_event_only(tmp_path: Path) -> None:
    log = written([assigned(1, "nurse"), assigned(2, "NURSE", subject="w2")])
    (tmp_path / "a.json").write_bytes(log.replace(b"NURSE", b"N\xffRSE"))
    report = FileReport()
    assert list(items_of([tmp_path / "a.json"], report=report)) == [("p", "w1")]
    assert (report.left_out, report.unreadable) == (1, [])


def test_an_event_that_is_none_of_the_contract_is_left_out(tmp_path: Path) -> None:
    log = json.loads(written([assigned(1, "nurse"), assigned(2, "ward", subject="w2")]))
    log["events"][0]["attributes"].append({"name": "Jane Doe", "value": 1})
    log["events"] += [{"type": "x"}, 7, {**log["events"][1], "time": "soon"}, {**log["events"][1], "attributes": 3}]
    report = FileReport()
    assert list(items_of([saved(tmp_path / "a.json", log)], report=report)) == [("p", "w2")]
    assert [(each.where, each.code) for each in report.first] == [
        ("event 1, data.?", "unknown_field"),
        ("event 3", "not_ocel"),
        ("event 4", "not_ocel"),
        ("event 5, time", "invalid_value"),
        ("event 6", "not_ocel"),
    ]


MAPPING = """
process: orders
work_item: object:order
time: ocel:time
role: object:team/name
actor: {attribute: object:employee, systems: [robot]}
site: {attribute: place}
states:
  - {when: {ocel:type: pack}, means: working}
  - {when: {ocel:type: ship, object:order@shipped: "*1"}, means: [working, closed]}
"""
TEAMS = [
    {"name": "name", "time": "2026-01-01T00:00:00Z", "value": "Packing"},
    {"name": "name", "time": "2026-02-01T00:00:00+01:00", "value": "Dispatch"},
]


def others(*events: dict[str, Any]) -> dict[str, Any]:
    """A log in which objects stand behind the events that name them."""
    objects = [
        {"id": "t", "type": "team", "attributes": TEAMS},
        {"id": "Jane Doe", "type": "employee", "attributes": []},
        {"id": "John Doe", "type": "employee"},
        {"id": "o1", "type": "order"},
        {"id": "o2", "type": "order"},
    ]
    return {"events": list(events), "eventTypes": [], "objectTypes": [], "objects": objects}


def happened(number: int, kind: str, time: str, *related: str, **more: Any) -> dict[str, Any]:
    relationships = [dict(zip(("objectId", "qualifier"), each.partition("@")[::2], strict=True)) for each in related]
    return {"id": f"e{number}", "type": kind, "time": time, "relationships": relationships, **more}


def mapped(tmp_path: Path, *events: dict[str, Any], mapping: str = MAPPING) -> tuple[list[Event], FileReport]:
    report = FileReport()
    meaning = Meaning(parse_mapping(mapping), None, KEY)
    found = items_of([saved(tmp_path / "a.jsonocel", others(*events))], meaning, report)
    return [decode(payload) for payloads in found.values() for payload in payloads], report


def test_an_event_of_others_is_one_of_each_work_item_it_is_about(tmp_path: Path) -> None:
    place = [{"name": "place", "value": 3}]
    events, report = mapped(
        tmp_path, happened(1, "pack", "2026-01-05T10:00:00+01:00", "o1", "o2", "t", "Jane Doe", attributes=place)
    )
    assert sorted((event.subject, event.type, event.site) for event in events) == [
        ("o1", "tieline.work_item.assigned.v1", "3"),
        ("o1", "tieline.work_item.worked.v1", "3"),
        ("o2", "tieline.work_item.assigned.v1", "3"),
        ("o2", "tieline.work_item.worked.v1", "3"),
    ]
    assert {event.data.role for event in events} == {"Packing"}  # type: ignore[union-attr]
    assert report.left_out == 0
    assert "Jane" not in repr(events)


def test_an_attribute_of_an_object_is_what_it_was_then(tmp_path: Path) -> None:
    events, _ = mapped(
        tmp_path,
        happened(1, "pack", "2026-01-31T22:59:59Z", "o1", "t"),
        happened(2, "ship", "2026-01-31T23:00:00Z", "o1@shipped", "t"),
    )
    roles = [(event.type.split(".")[2], event.data.role) for event in events]  # type: ignore[union-attr]
    assert sorted(roles) == [
        *(("assigned", "Dispatch"), ("assigned", "Packing"), ("closed", "Dispatch")),
        *(("worked", "Dispatch"), ("worked", "Packing")),
    ]


def test_what_cannot_be_told_for_certain_is_left_out(tmp_path: Path) -> None:
    events, report = mapped(
        tmp_path,
        happened(1, "pack", "2026-01-05T10:00:00Z", "o1", "t", "Jane Doe", "John Doe"),
        happened(2, "pack", "2026-01-05T10:00:00Z", "t"),
        happened(3, "pack", "yesterday", "o1", "t"),
        happened(4, "pack", "2026-01-05T10:00:00Z", "o1"),
        {"id": "e5"},
    )
    assert events == []
    assert [(each.where, each.code) for each in report.first] == [
        ("event 1", "several_objects"),
        ("event 2", "no_work_item"),
        ("event 3", "bad_time"),
        ("event 4", "no_role"),
        ("event 5", "not_ocel"),
    ]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (MAPPING.replace("work_item: object:order\n", ""), "needs `work_item`"),
        (MAPPING.replace("process: orders\n", ""), "no `process`"),
        (MAPPING + "format: xes\n", "XES or CSV"),
        (MAPPING.replace("object:team/name", "{attribute: x, level: trace}"), "no traces"),
    ],
)
def test_a_mapping_that_does_not_fit_says_why(tmp_path: Path, mapping: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        mapped(tmp_path, mapping=mapping)


def test_reading_others_again_gives_the_same_events(tmp_path: Path) -> None:
    one = happened(1, "pack", "2026-01-05T10:00:00Z", "o1", "t", "Jane Doe")
    assert by_item(mapped(tmp_path, one)[0]) == by_item(mapped(tmp_path, one)[0])
