"""Whatever JSON comes, and whatever a mapping asks of it: drafts, unused or an `InvalidEvent`, and never a name."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, InvalidEvent
from streams.gateway.connectors.json_mapping import PayloadReader, parse_payload_mapping
from streams.gateway.connectors.json_mapping.budget import Budget
from streams.gateway.connectors.json_mapping.expression import Expression, View
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import context, delivery
from tests.unit.connectors.json_mappings import OWNERSHIP, SENT, mapping, ownership, read, ticket

NAMES = st.sampled_from(["id", "at", "team", "who", "status", "labels", "x", "body", "to"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-03-02T08:00:00Z", "Doing", "Ilse", "\ud800", "\u0000", "x" * 2000])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=30
)
TICKETS = st.fixed_dictionaries(
    {"id": SCALARS, "at": st.just("2026-03-02T08:00:00Z") | SCALARS, "team": VALUES},
    optional={"who": VALUES, "status": VALUES, "labels": VALUES, "body": VALUES, "to": VALUES},
)
EXPRESSIONS = st.lists(
    st.sampled_from(
        [
            *"@.*&|![](),:`1'",
            "||",
            "&&",
            "[]",
            "[*]",
            "[?",
            "id",
            "team",
            "$.",
            "length(",
            "sort_by(",
            "to_string(@)",
            "==",
        ]
    ),
    max_size=12,
).map("".join)

EVERYTHING = mapping(
    {
        **OWNERSHIP,
        "items": "to_array(@)[]",
        "actor": {"attribute": "who", "bots": ["*b*"], "kind": "type(who)"},
        "site": {"attribute": "labels[0].x"},
        "role": {"attribute": "team", "missing": "states"},
        "states": [{"when": {"labels[].x": "?*", "status": "*"}, "means": "paused", "reason": "r"}],
        "events": [
            {
                "when": {"to": "?*"},
                "type": SENT,
                "text": "body",
                "data": {
                    "message_id": "id",
                    "role": "team",
                    "to_roles": "to",
                    "reply_due_at": "at",
                    "intent": "status",
                },
            }
        ],
    }
)


@settings(max_examples=300, deadline=None)
@given(payload=TICKETS | VALUES | st.lists(TICKETS, max_size=5))
def test_any_payload_is_read_or_refused(payload: Any) -> None:
    with suppress(InvalidEvent):
        reading = read(EVERYTHING, payload)
        assert reading.drafts or reading.unused
        for draft in reading.drafts:
            with suppress(InvalidEvent):
                event(draft, "incident")


@settings(max_examples=300, deadline=None)
@given(text=EXPRESSIONS, payload=VALUES)
def test_any_expression_is_refused_or_finds_something_within_the_budget(text: str, payload: Any) -> None:
    with suppress(ValueError, InvalidEvent):
        found = Expression(text).find(View(payload, payload, {}), Budget(5000))
        json.dumps(found)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=200) | EXPRESSIONS.map(lambda text: f"format: json\nwork_item: {text}\ntime: at\nrole: x\n")
)
def test_any_text_is_a_mapping_or_a_configuration_error(text: str) -> None:
    with suppress(ConfigError):
        parse_payload_mapping(text)


@pytest.mark.parametrize("field", ["who", "body"])
def test_name_or_text_is_in_nothing_but_the_actor_and_the_text(field: str) -> None:
    planted = "Ilse Verstraeten"
    payload = ticket(status="x", to=["B"], labels=[{"x": "y"}], **{field: planted})
    findings: list[Any] = []
    reading = PayloadReader(EVERYTHING).read(delivery(json.dumps(payload).encode()), context(), findings)
    (draft,) = reading.drafts
    assert planted in (draft.actor.name if draft.actor else "", draft.text)
    shown = [repr(reading), repr(findings), draft.id, json.dumps(dict(draft.data)), draft.subject, draft.site]
    assert not any("Ilse" in each for each in shown)


@pytest.mark.parametrize("place", ["id", "at", "team"])
def test_refusal_repeats_no_value(place: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read(ownership(), {**ticket(), "id": "Ilse\u0000", place: "Ilse\u0000"})
    assert "Ilse" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
