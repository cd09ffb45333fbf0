"""Sealing drafts: what is written down, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from streams.apps.intake import AHEAD as INFER_AHEAD
from streams.gateway.edge import Acting, Draft, Marks
from streams.gateway.edge.edge import AHEAD
from tests.unit.edge.edges import KEY, NOW, draft, edge, words

MESSAGE: dict[str, object] = {"message_id": "m1", "role": "ward", "to_roles": ["lab"]}
RESPONSE: dict[str, object] = {"problem_id": "p1", "role": "ward"}


def sealed(what: Draft, **policy: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(edge(**policy).seal(what, "/tickets", "p").value)
    return found


def refusal(what: Draft, now: datetime | None = None) -> tuple[str, str]:
    with pytest.raises(InvalidEvent) as refused:
        edge().seal(what, "/tickets", "p", now=now)
    return refused.value.code, refused.value.field


def test_a_sealed_draft_is_a_canonical_event_under_the_key_of_its_work_item() -> None:
    found = edge().seal(draft(site="4 West", sequence=3), "/tickets", "p")
    event = decode(found.value)
    assert found.value == event.canonical()
    assert found[2:] == ("tieline.work_item.worked.v1", "e1", "/tickets")
    assert (found.key, event.site, event.sequence, event.time) == (b"p/w1", "4 West", 3, NOW)


def test_a_draft_may_name_another_process_than_its_source() -> None:
    assert edge().seal(draft(process="q"), "/tickets", "p").key == b"q/w1"


def test_an_actor_is_the_hash_of_the_name() -> None:
    found = sealed(draft(actor=Acting("Ann Example", "human")))
    assert found["data"]["actor"] == {"id": KEY.hash_actor("Ann Example"), "kind": "human"}


def test_what_looks_like_a_hash_is_hashed_too_because_a_source_sent_it() -> None:
    name = KEY.hash_actor("Ann Example")
    assert sealed(draft(actor=Acting(name)))["data"]["actor"]["id"] == KEY.hash_actor(name)


def test_nobody_is_nobody() -> None:
    assert "actor" not in sealed(draft(actor=Acting("")))["data"]
    assert "actor" not in sealed(draft())["data"]


@pytest.mark.parametrize("name", [" ", "x" * 1025, "Ann\udc00"])
def test_what_can_be_nobodys_name_is_refused(name: str) -> None:
    assert refusal(draft(actor=Acting(name))) == ("invalid_value", "data.actor.id")


def test_a_connector_cannot_smuggle_an_actor_past_the_hash() -> None:
    assert refusal(draft(data={"role": "a", "actor": {"id": "Ann"}})) == ("unknown_field", "data.actor")


def test_marks_of_the_source_say_who_is_no_person() -> None:
    found = edge().seal(draft(actor=Acting("ci[bot]")), "/tickets", "p", Marks(bots=("*[bot]",)))
    assert json.loads(found.value)["data"]["actor"]["kind"] == "bot"


def test_an_id_that_is_too_long_has_one_short_form() -> None:
    long = "é" * 257
    short = f"sha256:{sha256(long.encode()).hexdigest()}"
    found = sealed(draft(id=long, subject=long))
    assert (found["id"], found["subject"]) == (short, short)
    assert sealed(draft(id="é" * 256))["id"] == "é" * 256


@pytest.mark.parametrize(
    ("verb", "field", "data"),
    [
        ("handoff.offered", "handoff_id", {"from_role": "a", "to_role": "b"}),
        ("handoff.offered", "follows", {"handoff_id": "h", "from_role": "a", "to_role": "b"}),
        ("communication.sent", "message_id", {"role": "a", "to_roles": ["b"]}),
        ("communication.sent", "in_reply_to", {"message_id": "m", "role": "a", "to_roles": ["b"]}),
        ("communication.sent", "problem_id", {"message_id": "m", "role": "a", "to_roles": ["b"]}),
    ],
)
def test_ids_in_the_data_that_are_too_long_are_shortened_alike(verb: str, field: str, data: dict[str, object]) -> None:
    long = "x" * 129
    found = sealed(draft(verb, {**data, field: long}))
    assert found["data"][field] == f"sha256:{sha256(long.encode()).hexdigest()}"


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (draft(id="a\nb"), ("invalid_value", "id")),
        (draft(id="a\nb" * 100), ("invalid_value", "id")),
        (draft(id=""), ("invalid_value", "id")),
        (draft(subject="\udc00"), ("invalid_value", "data")),
        (draft(subject="\udc00" * 300), ("invalid_value", "data")),
        (draft(time=datetime(2026, 1, 1)), ("invalid_value", "time")),
        (draft(time=NOW.replace(year=1969)), ("invalid_value", "time")),
        (draft(sequence=-1), ("invalid_value", "sequence")),
        (draft(site="x" * 129), ("invalid_value", "site")),
        (draft("star.created"), ("unknown_type", "type")),
        (draft(data={"role": "a", "Ann Example": 1}), ("unknown_field", "data.?")),
        (draft(data={"role": object()}), ("invalid_value", "data")),
        (draft("handoff.offered", {"handoff_id": "h", "from_role": "a"}), ("missing_field", "data.to_role")),
    ],
)
def test_what_the_contract_does_not_take_is_refused_by_code_and_field(what: Draft, expected: tuple[str, str]) -> None:
    assert refusal(what) == expected


def test_data_nested_without_end_is_refused() -> None:
    nested: dict[str, object] = {}
    nested["role"] = nested
    assert refusal(draft(data=nested)) == ("invalid_value", "data")


def test_time_ahead_of_the_clock_is_refused_where_infer_would() -> None:
    assert AHEAD == INFER_AHEAD
    late = draft(time=NOW + AHEAD + timedelta(microseconds=1))
    assert refusal(late, NOW) == ("future", "time")
    assert edge().seal(draft(time=NOW + AHEAD), "/tickets", "p", now=NOW)
    assert edge().seal(late, "/tickets", "p")


def test_words_say_what_a_message_wants_and_are_dropped() -> None:
    rules = words(("thanks", "inform"), ("?", "question"))
    found = sealed(draft("communication.sent", MESSAGE, text="Where is Zebedee?"), **rules)
    assert (found["data"]["intent"], found["data"]["expects_reply"]) == ("question", True)
    assert "Zebedee" not in json.dumps(found)
    found = sealed(draft("communication.sent", MESSAGE, text="Thanks, clear?"), **rules)
    assert (found["data"]["intent"], found["data"]["expects_reply"]) == ("inform", False)


def test_what_the_source_says_itself_stands() -> None:
    rules = words(("?", "question"))
    found = sealed(draft("communication.sent", {**MESSAGE, "intent": "other"}, text="?"), **rules)
    assert (found["data"]["intent"], found["data"]["expects_reply"]) == ("other", False)
    found = sealed(draft("communication.sent", {**MESSAGE, "expects_reply": False}, text="?"), **rules)
    assert (found["data"]["intent"], found["data"]["expects_reply"]) == ("question", False)
    found = sealed(draft("problem.responded", {**RESPONSE, "kind": "act"}, text="?"), **words(("?", "blame")))
    assert found["data"]["kind"] == "act"


def test_a_message_that_no_rule_knows_is_not_classified() -> None:
    for rules in ({}, words(("?", "question"))):
        found = sealed(draft("communication.sent", MESSAGE, text="hello"), **rules)
        assert "intent" not in found["data"]
        assert found["data"]["expects_reply"] is False


def test_a_response_needs_a_kind_from_somewhere() -> None:
    rules = words(("not our", "refuse"))
    assert sealed(draft("problem.responded", RESPONSE, text="Not our job"), **rules)["data"]["kind"] == "refuse"
    assert refusal(draft("problem.responded", RESPONSE, text="hello")) == ("unclassified", "data.kind")


def test_rules_for_responses_say_nothing_of_messages() -> None:
    rules = words(("?", "blame"))
    assert "intent" not in sealed(draft("communication.sent", MESSAGE, text="?"), **rules)["data"]


def test_words_of_the_policy_of_the_events_own_time_count() -> None:
    message = draft("communication.sent", MESSAGE, text="?", time=NOW.replace(year=2019))
    assert "intent" not in sealed(message, **words(("?", "question")))["data"]
