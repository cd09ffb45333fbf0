"""A payload says what its mapping says that it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError, InvalidEvent
from streams.gateway.connectors.json_mapping import JsonMapping, JsonOptions, parse_payload_mapping
from streams.gateway.connectors.json_mapping.budget import MAX_UNITS
from streams.gateway.connectors.json_mapping.reader import MAX_ENTRIES
from streams.gateway.connectors.snapshots import SnapshotStore
from tests.unit.connectors.context import InMemorySnapshots, context, delivery
from tests.unit.connectors.json_mappings import (
    ACCEPTED,
    OFFERED,
    OWNERSHIP,
    SENT,
    mapping,
    only,
    ownership,
    read,
    said,
    ticket,
    told,
    verbs,
)

WORKING = {"when": {"status": "Doing"}, "means": "working"}
ON_HOLD = {"when": {"status": "Hold*"}, "means": "paused", "reason": "hold"}


def offered(**data: Any) -> dict[str, Any]:
    fields = {"handoff_id": "ho", "from_role": "team", "to_role": "to", **data}
    return {"when": {"type": "offer"}, "type": OFFERED, "data": fields}


# Ownership: as the log import


def test_payload_that_no_rule_matches_says_who_owns_the_work_item() -> None:
    draft = only(read(ownership(), ticket()))
    assert (draft.type, draft.subject, draft.data) == ("tieline.work_item.assigned.v1", "T-1", {"role": "Desk"})


def test_first_rule_that_matches_decides() -> None:
    rules = ownership(states=[WORKING, {"when": {"status": "*"}, "means": "ignore"}])
    assert verbs(read(rules, ticket(status="Doing"))) == ["assigned", "worked"]
    assert read(rules, ticket(status="New")).unused == ("ignored",)


@pytest.mark.parametrize(
    ("found", "pattern"),
    [(3, "3"), (True, "true"), (None, ""), ("Doing", "Do*"), (["a", "Doing"], "Doing"), ([], ""), ({"a": 1}, "")],
)
def test_condition_compares_the_text_of_what_is_found(found: object, pattern: str) -> None:
    rules = ownership(states=[{"when": {"status": pattern}, "means": "working"}])
    assert verbs(read(rules, ticket(status=found))) == ["assigned", "worked"]


def test_next_change_after_a_pause_ends_it() -> None:
    known = context(snapshots=InMemorySnapshots())
    rules = ownership(states=[WORKING, ON_HOLD])
    assert verbs(read(rules, ticket(0, status="Hold on"), known)) == ["assigned", "paused"]
    assert verbs(read(rules, ticket(5, status="Doing"), known)) == ["resumed", "assigned", "worked"]
    assert verbs(read(rules, ticket(6, status="Doing"), known)) == ["assigned", "worked"]


def test_change_from_before_a_pause_does_not_end_it() -> None:
    known = context(snapshots=InMemorySnapshots())
    rules = ownership(states=[WORKING, ON_HOLD])
    read(rules, ticket(5, status="Hold on"), known)
    assert verbs(read(rules, ticket(1, status="Doing"), known)) == ["assigned", "worked"]
    assert verbs(read(rules, ticket(6, status="Doing"), known)) == ["resumed", "assigned", "worked"]


def test_pause_is_remembered_by_the_gateway(tmp_path: Path) -> None:
    rules = ownership(states=[WORKING, ON_HOLD])
    store = SnapshotStore(tmp_path / "snapshots.db")
    told = []
    for minute, status in ((0, "Hold on"), (5, "Doing"), (6, "Doing")):
        snapshots = store.of("tickets")
        told.append(verbs(read(rules, ticket(minute, status=status), replace(context(), snapshots=snapshots))))
        snapshots.commit()
    store.close()
    assert told == [["assigned", "paused"], ["resumed", "assigned", "worked"], ["assigned", "worked"]]


def test_what_never_pauses_remembers_nothing() -> None:
    snapshots = InMemorySnapshots()
    read(ownership(states=[WORKING, ON_HOLD]), ticket(status="Doing"), context(snapshots=snapshots))
    assert not snapshots.kept


def test_delivery_that_is_repeated_gives_the_same_ids() -> None:
    rules = ownership(states=[WORKING, ON_HOLD])
    known = context(snapshots=InMemorySnapshots())
    read(rules, ticket(0, status="Hold on"), known)
    first = {draft.type: draft for draft in read(rules, ticket(5, status="Doing"), known).drafts}
    again = {draft.type: draft for draft in read(rules, ticket(5, status="Doing"), known).drafts}
    assert again.items() <= first.items()


def test_role_is_looked_up_in_the_maps_of_its_kind() -> None:
    known = context(roles={"location": {"4 West": "ward-nurse"}}, actors={"ann": "ed-nurse"})
    by_place = ownership(role={"attribute": "ward", "kind": "location"})
    assert only(read(by_place, ticket(ward="4 West"), known)).data == {"role": "ward-nurse"}
    by_person = ownership(role={"attribute": "who", "kind": "actor"})
    assert only(read(by_person, ticket(who="ann"), known)).data == {"role": "ed-nurse"}


def test_person_whose_role_is_not_known_is_no_role() -> None:
    rules = ownership(role={"attribute": "who", "kind": "actor"})
    assert read(rules, ticket(who="ann")).unused == ("no_role",)


def test_entry_without_a_role_still_says_what_needs_none() -> None:
    closed = {"when": {"status": "Done"}, "means": ["working", "closed"]}
    keep = ownership(role={"attribute": "team", "missing": "states"}, states=[closed])
    assert verbs(read(keep, ticket(team=None, status="Done"))) == ["closed"]
    assert read(ownership(states=[closed]), ticket(team=None, status="Done")).unused == ("no_role",)


def test_missing_values_are_nothing() -> None:
    assert read(ownership(missing_values=["none"]), ticket(team="none")).unused == ("no_role",)


@pytest.mark.parametrize(
    ("who", "kind", "expected"),
    [
        ("ann", None, "human"),
        ("robot-7", None, "bot"),
        ("sla", None, "system"),
        ("x", "Bot", "bot"),
        ("x", "?", "human"),
    ],
)
def test_kind_of_an_actor_is_told_or_by_pattern(who: str, kind: str | None, expected: str) -> None:
    actor = {"attribute": "by.name", "kind": "by.type", "bots": ["robot-*"], "systems": "sla"}
    draft = only(read(ownership(actor=actor), ticket(by={"name": who, "type": kind})))
    assert draft.actor is not None
    assert (draft.actor.name, draft.actor.kind) == (who, expected)


def test_draft_shows_no_name_and_no_text() -> None:
    rules = told(
        {"type": SENT, "text": "body", "data": {"message_id": "m", "role": "team", "to_roles": "to"}}, actor="by"
    )
    reading = read(rules, ticket(m=1, to="B", by="Ilse", body="Ilse says no"))
    assert reading.drafts[0].text == "Ilse says no"
    assert "Ilse" not in repr(reading)


# Times and ids


@pytest.mark.parametrize(
    ("spec", "at", "expected"),
    [
        ("at", "2026-03-02T09:00:00+01:00", "2026-03-02T08:00:00+00:00"),
        ({"attribute": "at", "format": "epoch_ms"}, 1772438400123, "2026-03-02T08:00:00.123000+00:00"),
        ({"attribute": "at", "format": "epoch_s"}, 1772438400.5, "2026-03-02T08:00:00.500000+00:00"),
        (
            {"attribute": "at", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Brussels"},
            "02/03/2026 09:00",
            "2026-03-02T08:00:00+00:00",
        ),
    ],
)
def test_times_are_read_as_in_a_log(spec: object, at: object, expected: str) -> None:
    assert only(read(ownership(time=spec), ticket(at=at))).time.isoformat() == expected


@pytest.mark.parametrize(
    ("at", "code"), [(None, "missing_field"), ("soon", "bad_time"), ("2026-03-02T08:00:00", "time_without_zone")]
)
def test_payload_whose_time_cannot_be_read_is_refused_but_not_an_entry_among_others(at: object, code: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read(ownership(), ticket(at=at))
    assert (caught.value.code, caught.value.field) == (code, "time")
    reading = read(ownership(items="x"), {"x": [ticket(at=at), ticket()]})
    assert len(reading.drafts) == len(reading.unused) == 1


def test_what_is_no_work_item_is_of_no_use() -> None:
    assert read(ownership(), {"hello": "from the settings page"}).unused == ("no_work_item",)


def test_id_is_of_the_source_where_it_has_one() -> None:
    rules = ownership(id="change", states=[WORKING])
    assert [draft.id for draft in read(rules, ticket(change=7, status="Doing")).drafts] == ["7:assigned", "7:worked"]


def test_id_depends_on_what_is_said_and_not_on_who_or_which_words() -> None:
    rules = told({**offered(), "text": "body", "when": {}}, actor="who")
    base = ticket(ho="h", to="B", who="Ann", body="a")

    def id_of(**changed: Any) -> str:
        return only(read(rules, {**base, **changed})).id

    assert id_of() == id_of(who="Bob", body="b")
    assert len({id_of(), id_of(to="C"), id_of(id="T-2"), id_of(at="2026-03-02T08:01:00Z"), id_of(ho="i")}) == 5


def test_order_among_entries_of_one_instant_is_the_sequence() -> None:
    rules = ownership(sequence="n", states=[WORKING])
    one, other = read(rules, ticket(n=1, status="Doing")), read(rules, ticket(n=2))
    assert one.drafts[0].sequence < one.drafts[1].sequence < other.drafts[0].sequence
    assert read(rules, ticket(n="x")).drafts[0].sequence == 3


# Several entries


def test_every_entry_is_read_and_may_look_at_the_whole_payload() -> None:
    rules = ownership(items="tickets", site={"attribute": "$.site"}, time="$.at", work_item="key", role="team")
    reading = read(
        rules, {"site": "a", "at": "2026-03-02T08:00:00Z", "tickets": [{"key": k, "team": "D"} for k in "xy"]}
    )
    assert [(draft.subject, draft.site) for draft in reading.drafts] == [("x", "a"), ("y", "a")]


def test_payload_without_entries_is_of_no_use() -> None:
    assert read(ownership(items="x"), {"x": []}).unused == read(ownership(items="x"), {}).unused == ("no_items",)


def test_one_entry_need_not_stand_in_a_list() -> None:
    assert only(read(ownership(items="x"), {"x": ticket()})).subject == "T-1"


def test_headers_can_be_asked_but_not_for_secrets() -> None:
    rules = ownership(states=[{"when": {'$headers."x-event"': "worked"}, "means": "working"}])
    assert verbs(read(rules, ticket(), headers={"x-event": "worked"})) == ["assigned", "worked"]
    secret = ownership(site={"attribute": "$headers.authorization"})
    assert only(read(secret, ticket(), headers={"authorization": "Bearer secret"})).site == ""


# Explicit events


def test_explicit_event_has_the_data_of_the_contract() -> None:
    rules = told(
        {
            **offered(
                intent={"attribute": "purpose", "values": {"opinion": "consult"}, "otherwise": "transfer"},
                due_at="due",
                urgency={"value": "urgent"},
            ),
            "elements": {"situation": "parts.s", "medications": "parts.m"},
        }
    )
    reading = read(
        rules, ticket(type="offer", ho=9, to="Net", purpose="opinion", due="2026-03-02T10:00+01:00", parts={"s": 1})
    )
    assert only(reading).data == {
        "handoff_id": "9",
        "from_role": "Desk",
        "to_role": "Net",
        "intent": "consult",
        "due_at": "2026-03-02T09:00:00+00:00",
        "urgency": "urgent",
        "elements": {"situation": True, "medications": False},
    }


def test_entry_that_events_tell_is_not_told_by_states_too() -> None:
    rules = mapping({**OWNERSHIP, "events": [offered()]})
    assert said(read(rules, ticket(type="offer", ho="h", to="B"))) == ["handoff.offered"]
    assert said(read(rules, ticket())) == ["work_item.assigned"]


def test_every_matching_rule_of_events_says_something() -> None:
    accepted = {"type": ACCEPTED, "data": {"handoff_id": "ho", "role": "to"}, "time": "accepted_at"}
    rules = told({**offered(), "when": {}}, accepted)
    reading = read(rules, ticket(ho="h", to="B", accepted_at="2026-03-02T08:30:00Z"))
    assert said(reading) == ["handoff.offered", "handoff.accepted"]
    assert reading.drafts[1].time > reading.drafts[0].time


def test_event_without_what_the_contract_needs_is_of_no_use() -> None:
    assert read(told(offered()), ticket(type="offer", ho="h")).unused == ("no_to_role",)
    assert read(told(offered()), ticket(type="offer", ho="h\u0000", to="B")).unused == ("bad_handoff_id",)


def test_optional_field_that_the_contract_does_not_take_is_left_out_and_counted() -> None:
    declined = {"type": "tieline.handoff.declined.v1", "data": {"handoff_id": "ho", "role": "team", "reason": "why"}}
    reading = read(told(declined), ticket(ho="h", why="because Ilse said so"))
    assert only(reading).data == {"handoff_id": "h", "role": "Desk"}
    assert reading.unused == ("bad_reason",)


def test_kind_of_a_response_may_be_left_to_the_word_rules() -> None:
    response = {"type": "tieline.problem.responded.v1", "text": "body", "data": {"problem_id": "p", "role": "team"}}
    assert only(read(told(response), ticket(p=1, body="we did it"))).data == {"problem_id": "1", "role": "Desk"}


def test_addressees_may_be_one_or_several() -> None:
    sent = {"type": SENT, "data": {"message_id": "m", "role": "team", "to_roles": "to"}}
    assert only(read(told(sent), ticket(m="1", to="B"))).data["to_roles"] == ["B"]
    assert only(read(told(sent), ticket(m="1", to=["C", "B", "C"]))).data["to_roles"] == ["B", "C"]


def test_entry_that_nothing_tells_is_of_no_use() -> None:
    assert read(told(offered()), ticket(type="login")).unused == ("no_rule",)


# Bounds


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "not_json"), (b"\xff", "not_json"), (b"[" * 70 + b"]" * 70, "too_deep"), (b" " * 600_000, "too_large")],
)
def test_what_is_no_payload_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read(ownership(), body)
    assert caught.value.code == code


def test_entries_are_limited() -> None:
    with pytest.raises(InvalidEvent, match="too_many_entries at items"):
        read(ownership(items="@"), [1] * (MAX_ENTRIES + 1))


@pytest.mark.parametrize(
    ("expression", "payload"),
    [
        ("[][][][][][]", [[[[[[1] * 5] * 5] * 5] * 5] * 5] * 5),
        ("|".join(["[@,@][]"] * 35), [1, 2]),
        (f"to_string({'|'.join(['[@,@]'] * 35)})", 1),
        (f"{'|'.join(['[@,@]'] * 35)}|@==[@]", 1),
        ("|".join(["join('',[@,@])"] * 30), "x" * 1000),
        ("*.*.*", {str(n): {str(m): {"a": 1} for m in range(100)} for n in range(100)}),
        ("[?contains(@,'x')]", ["y" * 90] * 5200),
        ("sort(@)", [str(n) for n in range(MAX_UNITS + 1)]),
    ],
)
def test_expressions_cannot_multiply_a_payload(expression: str, payload: object) -> None:
    with pytest.raises(InvalidEvent, match="too_complex"):
        read(ownership(items=expression), payload)


def test_patterns_cannot_be_tried_without_end() -> None:
    rules = ownership(items="@", states=[{"when": {"status": "*" + "a" * 500 + "b"}, "means": "working"}] * 50)
    with pytest.raises(InvalidEvent, match="too_complex"):
        read(rules, [ticket(status="a" * 4000)] * 100)


@pytest.mark.parametrize(
    "expression",
    [
        "abs('x')",
        "contains(nothing, 'x')",
        "max([`1`, 'x'])",
        "a < `1`",
        "&a",
        "to_number(big)",
        "ceil(inf)",
        "avg(huge)",
    ],
)
def test_function_that_does_not_fit_the_payload_finds_nothing(expression: str) -> None:
    payload = ticket(a="x", big="9" * 5000, huge=[10**400, 1])
    assert only(read(ownership(site={"attribute": expression}), payload)).site in ("", "inf")


# Settings


def test_connector_reads_by_the_mapping_of_its_source(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(json.dumps(OWNERSHIP))
    for option in (str(file), OWNERSHIP, ownership()):
        known = context(options={"mapping": option})
        assert said(JsonMapping().read(delivery(json.dumps(ticket()).encode()), known)) == ["work_item.assigned"]
    assert JsonOptions.model_validate({"mapping": str(file)}).mapping == ownership()
    assert JsonOptions.model_validate(JsonOptions(mapping=ownership()).model_dump()).mapping == ownership()


def test_source_without_a_mapping_is_a_mistake_of_its_settings() -> None:
    with pytest.raises(ConfigError, match="needs the option `mapping`"):
        JsonMapping().read(delivery(b"{}"), context())


def test_wrong_mapping_of_a_source_is_explained() -> None:
    with pytest.raises(ValueError, match="rol: unknown field; did you mean 'role'"):
        JsonOptions.model_validate({"mapping": {**OWNERSHIP, "rol": "x"}})


def test_findings_say_which_rule_matched_and_what_found_nothing() -> None:
    findings: list[Any] = []
    rules = ownership(items="@", actor="who", states=[WORKING])
    read(rules, [ticket(status="Doing"), ticket(team=None)], findings=findings)
    assert [(found.rules, found.empty, found.unused, found.events) for found in findings] == [
        (["states.0"], ["actor"], [], 2),
        (["otherwise"], ["role"], ["no_role"], 0),
    ]


def test_example_of_the_document_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "connectors" / "json.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    mappings = [parse_payload_mapping(text) for text in examples if text.startswith("format: json")]
    assert mappings
