"""A mistake in a mapping of JSON payloads is named with file, field, what was expected, and the likely word."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.events import EVENT_TYPES
from streams.gateway.connectors.json_mapping import parse_payload_mapping, read_payload_mapping
from streams.gateway.connectors.json_mapping.contract_field import contract_fields

MAPPINGS = Path(__file__).parents[3] / "deploy" / "mappings"
BASE = "format: json\nwork_item: id\ntime: at\n"
ROLE = BASE + "role: team\n"
OFFER = "events: [{type: tieline.handoff.offered.v1, data: {handoff_id: h, from_role: f, to_role: t%s}%s}]"


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_payload_mapping(text, "m.yaml")
    return str(caught.value)


def test_shortest_mapping_says_what_whose_and_when() -> None:
    assert parse_payload_mapping(ROLE).otherwise == ("waiting",)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.name)
def test_example_mapping_is_valid_for_what_it_is_for(path: Path) -> None:
    if "format: json" in path.read_text(encoding="utf-8"):
        read_payload_mapping(path)
    else:
        with pytest.raises(ConfigError, match="expected `format: json`"):
            read_payload_mapping(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("role: x", "m.yaml: the mapping says no `format`: expected `format: json`"),
        ("format: jsn", "m.yaml: the mapping is not for JSON payloads"),
        ("format: json\nrole: x", "m.yaml: work_item: is needed\nm.yaml: time: is needed"),
        (BASE, "m.yaml: `role` is needed: whose is the work item?"),
        (BASE + OFFER % ("", "") + "\notherwise: working", "`states` and `otherwise` need a `role`"),
        (ROLE + "rol: x", "m.yaml: rol: unknown field; did you mean 'role'?"),
        (ROLE + "csv: {}", "m.yaml: csv: unknown field"),
        (ROLE + "id: 'a..b'", "m.yaml: id: not a JMESPath expression: at character 3, '.'"),
        (ROLE + "id: 'a['", "m.yaml: id: not a JMESPath expression"),
        (ROLE + "id: 'a.$.b'", "'$'; `$` stands in front"),
        (ROLE + "id: '$.'", "m.yaml: id: not a JMESPath expression"),
        (ROLE + "id: 'lenght(a)'", "m.yaml: id: unknown function 'lenght'; did you mean 'length'?"),
        (ROLE + "id: 'length(a, b)'", "m.yaml: id: length() takes 1 arguments, 2 are given"),
        (ROLE + "id: 'a[::0]'", "m.yaml: id: the step of a slice cannot be 0"),
        (ROLE + f"id: '{'a' * 501}'", "m.yaml: id: string should have at most 500 characters"),
        (ROLE + f"id: '{'!' * 60}a'", "m.yaml: id: an expression is nested at most 40 deep"),
        (ROLE + f"id: '{'(' * 400}a'", "m.yaml: id: not a JMESPath expression"),
        (ROLE + "id: 3", "m.yaml: id: expected text, found 3: put quotes around it"),
        (ROLE + "role_kind: x", "m.yaml: role_kind: unknown field"),
        (BASE + "role: {attribute: x, kind: grup}", "role.kind: expected one of"),
        (BASE + "role: {attribute: x, kind: grup}", "found 'grup'; did you mean 'group'?"),
        (BASE + "role: {attribute: x, level: trace}", "m.yaml: role.level: unknown field"),
        (ROLE + "states: [{when: {'a b': x}, means: working}]", "not a JMESPath expression: at character 3, 'b'"),
        (ROLE + "states: [{when: {a: x}, means: paused}]", "states.0: `reason` belongs to `means: paused`"),
        (ROLE + "otherwise: paused", "`otherwise` cannot pause"),
        (ROLE + "time: x", "m.yaml: line 5, column 1: not valid YAML: the key 'time' stands twice"),
        (BASE + "events: [{type: tieline.handoff.offerd.v1}]", "did you mean 'tieline.handoff.offered.v1'?"),
        (BASE + OFFER % (", urgncy: u", ""), "m.yaml: events.0: data.urgncy: tieline.handoff.offered.v1 has no such"),
        (BASE + OFFER % (", urgncy: u", ""), "did you mean 'urgency'?"),
        (BASE + OFFER % (", ties: u", ""), "data.ties: tieline.handoff.offered.v1 has no such field"),
        (BASE + OFFER % (", actor: u", ""), "data.actor: tieline.handoff.offered.v1 has no such field"),
        (BASE + OFFER % (", elements: u", ""), "data.elements: tieline.handoff.offered.v1 has no such field"),
        (
            BASE + OFFER % (", intent: {value: tranfer}", ""),
            "does not take 'tranfer': expected one of transfer, consult",
        ),
        (BASE + OFFER % (", intent: {value: tranfer}", ""), "did you mean 'transfer'?"),
        (
            BASE + OFFER % (", intent: {attribute: i, values: {x: y}}", ""),
            "data.intent: the contract does not take 'y'",
        ),
        (BASE + OFFER % (", urgency: {attribute: u, kind: group}", ""), "data.urgency.kind: only a role has one"),
        (BASE + OFFER % (", urgency: {}", ""), "events.0.data.urgency: expected either `value` or `attribute`"),
        (BASE + OFFER % ("", ", elements: {a: '['}"), "events.0.elements.a: not a JMESPath expression"),
        (BASE + "events: [{type: tieline.handoff.accepted.v1, data: {role: r}}]", "data.handoff_id is needed for"),
        (
            BASE + "events: [{type: tieline.problem.resolved.v1, data: {problem_id: p, role: r}, elements: {a: a}}]",
            "`elements` belongs to tieline.handoff.offered.v1",
        ),
    ],
)
def test_mistakes_are_explained(text: str, said: str) -> None:
    assert said in complaint(text)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_event_of_the_contract_can_be_told(event_type: str) -> None:
    needed = {name: field for name, field in contract_fields(event_type).items() if field.required}
    assert all(field.mappable for field in needed.values())
    data = ", ".join(f"{name}: {{attribute: x}}" for name in needed)
    parse_payload_mapping(f"{BASE}events: [{{type: {event_type}, data: {{{data}}}}}]")
