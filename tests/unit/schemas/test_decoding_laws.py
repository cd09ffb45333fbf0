"""Whatever the bytes are, decoding gives an event or `InvalidEvent`, and an error never repeats what was sent."""

from __future__ import annotations

import copy
import json
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import MAX_EVENT_BYTES, decode
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES
from tests.unit.schemas.examples import Json, encoded, example, examples

SECRET = "Jane Q Roe"
OLDER = {"type": "tieline.handoff.offered.v0", "data": {"elements": ["situation"]}}
STARTS = [*examples(), {**example("handoff.offered"), **OLDER}]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def refused(raw: bytes) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        decode(raw)
    return caught.value


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from paths(each, (*path, key))


def changed(event: Json, path: tuple[Any, ...], value: Any) -> Json:
    """A copy with another value at `path`."""
    event = copy.deepcopy(event)
    inner: Any = event
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return event


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid event with one thing wrong: a value, a key, a byte, its end."""
    event = draw(st.sampled_from(STARTS))
    where = draw(st.sampled_from(sorted(paths(event), key=str)))
    event = changed(event, where, draw(json_values))
    if draw(st.booleans()):
        event = {**event, draw(st.text(max_size=5)): draw(json_values)}
    raw = bytearray(json.dumps(event).encode())
    if draw(st.booleans()):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw)


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | json_values.map(json.dumps).map(str.encode))
def test_decoding_anything_gives_an_event_or_invalid_event(raw: bytes) -> None:
    with suppress(InvalidEvent):
        decode(raw)


@settings(deadline=None, max_examples=1000)
@given(mutated())
def test_decoding_a_damaged_event_gives_an_event_or_invalid_event(raw: bytes) -> None:
    with suppress(InvalidEvent):
        event = decode(raw)
        assert decode(event.canonical()) == event


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("depth", [10, 1000, 50_000])
def test_nesting_however_deep_is_refused(depth: int, older: bool) -> None:
    kind = OLDER["type"] if older else "tieline.handoff.offered.v1"
    assert refused(f'{{"type": "{kind}", "data": {"[" * depth}{"]" * depth}}}'.encode()).code


def spied(event: Json, path: tuple[Any, ...]) -> Iterator[Json]:
    """The event with the secret as the value at a path, and as a key beside it."""
    yield changed(event, path, SECRET)
    yield changed(event, path, [SECRET])
    yield changed(event, path, {SECRET: SECRET})
    yield changed(event, (*path[:-1], SECRET), SECRET) if not isinstance(path[-1], int) else event


@pytest.mark.parametrize("event", STARTS, ids=lambda event: event["type"])
def test_an_error_never_repeats_what_was_sent(event: Json) -> None:
    refusals = 0
    for path in paths(event):
        for attempt in spied(event, path):
            try:
                decode(encoded(attempt))
            except InvalidEvent as error:
                refusals += 1
                said = f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
                assert SECRET not in said
    assert refusals > 10


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[]", "invalid_value"),
        (b"null", "invalid_value"),
        (b"{}", "missing_type"),
        (b'{"type": "tieline.handoff.offered.v99"}', "unknown_type"),
        (b'{"type": 1}', "unknown_type"),
        (b'{"type": ["tieline.handoff.offered.v1"]}', "unknown_type"),
        (b" " * (MAX_EVENT_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_event_is_refused_with_a_code(raw: bytes, code: str) -> None:
    assert refused(raw).code == code


def test_an_event_of_the_largest_size_is_read() -> None:
    raw = encoded(example("handoff.accepted"))
    assert decode(raw + b" " * (MAX_EVENT_BYTES - len(raw))).id


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_a_field_that_the_contract_does_not_name_is_refused_in_data(kind: str) -> None:
    error = refused(encoded(example(kind[len("tieline.") : -len(".v1")], data={"note": SECRET})))
    assert (error.code, error.field) == ("unknown_field", "data.?")


def test_attributes_of_cloudevents_that_tieline_does_not_know_are_dropped() -> None:
    event = example("handoff.accepted", traceparent="00-ab-cd-01", datacontenttype="application/json")
    assert b"traceparent" not in decode(encoded(event)).canonical()


ACTOR = {"kind": "human"}
REFUSALS: dict[str, tuple[Json, str]] = {
    "a time without zone": ({"time": "2026-03-02T08:10:00"}, "time"),
    "a date": ({"time": "2026-03-02"}, "time"),
    "a number for a time": ({"time": 1772439000}, "time"),
    "a number in quotes for a time": ({"time": "1772439000"}, "time"),
    "a time before 1970": ({"time": "1969-12-31T23:59:59Z"}, "time"),
    "a time after 2199": ({"time": "2200-01-01T00:00:00Z"}, "time"),
    "a due time without zone": ({"data": {"due_at": "2026-03-02T08:10:00"}}, "data.due_at"),
    "a slash in the process": ({"process": "ed/ward"}, "process"),
    "no process": ({"process": ""}, "process"),
    "a hash sign in the source": ({"source": "/ehr#1"}, "source"),
    "no source": ({"source": ""}, "source"),
    "no id": ({"id": ""}, "id"),
    "an id of 257 characters": ({"id": "x" * 257}, "id"),
    "a line end in the id": ({"id": "1\n"}, "id"),
    "a NUL in the subject": ({"subject": "a\0b"}, "subject"),
    "a C1 control in the site": ({"site": "a\x85b"}, "site"),
    "a line separator in a role": ({"data": {"from_role": "a\u2028b"}}, "data.from_role"),
    "a number for an id": ({"id": 1}, "id"),
    "a negative sequence": ({"sequence": -1}, "sequence"),
    "a fraction for a sequence": ({"sequence": 1.5}, "sequence"),
    "another CloudEvents version": ({"specversion": "0.3"}, "specversion"),
    "a name for an actor": ({"data": {"actor": {**ACTOR, "id": SECRET}}}, "data.actor.id"),
    "an actor without key id": ({"data": {"actor": {**ACTOR, "id": "0" * 32}}}, "data.actor.id"),
    "an actor with a short hash": ({"data": {"actor": {**ACTOR, "id": "k1:abc"}}}, "data.actor.id"),
    "an actor in capitals": ({"data": {"actor": {**ACTOR, "id": "k1:" + "A" * 32}}}, "data.actor.id"),
    "an actor with a name behind the hash": (
        {"data": {"actor": {**ACTOR, "id": f"k1:{'0' * 32}{SECRET}"}}},
        "data.actor.id",
    ),
    "a display name beside the hash": ({"data": {"actor": {"id": "k1:" + "0" * 32, "nick": SECRET}}}, "data.actor.?"),
    "text for a truth value": ({"data": {"elements": {"situation": "yes"}}}, "data.elements.?"),
    "an intent of one's own": ({"data": {"intent": "escalation"}}, "data.intent"),
    "a null for a role": ({"data": {"to_role": None}}, "data.to_role"),
}


@pytest.mark.parametrize("law", REFUSALS)
def test_is_refused(law: str) -> None:
    changes, field = REFUSALS[law]
    error = refused(encoded(example("handoff.offered", **changes)))
    assert (error.code in ("invalid_value", "unknown_field"), error.field) == (True, field)
