"""Equal content has equal bytes, however it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode
from tests.unit.schemas.examples import Json, encoded, example, examples

TIMES = ("time", "due_at", "needed_at", "reply_due_at", "respond_by")
each_example = st.sampled_from(range(len(examples())))


def canonical(event: Json) -> bytes:
    return decode(encoded(event)).canonical()


def shuffled(value: Any, draw: Callable[..., Any]) -> Any:
    """The same JSON with its keys, at every depth, in another order."""
    if not isinstance(value, dict):
        return value
    return {key: shuffled(value[key], draw) for key in draw(st.permutations(sorted(value)))}


def elsewhere(value: Any, offset: timezone) -> Any:
    """The same JSON with its times written in another zone."""
    if not isinstance(value, dict):
        return value
    return {
        key: datetime.fromisoformat(each).astimezone(offset).isoformat() if key in TIMES else elsewhere(each, offset)
        for key, each in value.items()
    }


@pytest.mark.parametrize("event", examples(), ids=lambda event: event["type"])
def test_reading_canonical_bytes_gives_the_event_and_its_bytes_again(event: Json) -> None:
    first = decode(encoded(event))
    assert decode(first.canonical()) == first
    assert decode(first.canonical()).canonical() == first.canonical()


@settings(deadline=None)
@given(which=each_example, data=st.data())
def test_key_order_makes_no_difference(which: int, data: st.DataObject) -> None:
    event = examples()[which]
    assert canonical(shuffled(event, data.draw)) == canonical(event)


@settings(deadline=None)
@given(which=each_example, minutes=st.integers(-23 * 60, 23 * 60))
def test_time_zone_notation_makes_no_difference(which: int, minutes: int) -> None:
    event = examples()[which]
    assert canonical(elsewhere(event, timezone(timedelta(minutes=minutes)))) == canonical(event)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["ed-nurse", "bed-manager", "ward-physician"]), min_size=1, max_size=6))
def test_order_and_repeats_of_addressees_make_no_difference(roles: list[str]) -> None:
    written = example("communication.sent", data={"to_roles": roles})
    assert canonical(written) == canonical(example("communication.sent", data={"to_roles": sorted(set(roles))}))


def test_order_of_elements_makes_no_difference() -> None:
    one, other = {"a": True, "b": False}, {"b": False, "a": True}
    assert canonical(example("handoff.offered", data={"elements": one})) == canonical(
        example("handoff.offered", data={"elements": other})
    )


def test_whitespace_and_escapes_make_no_difference() -> None:
    event = example("handoff.accepted", data={"role": "Pflege – Süd"})
    compact = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    assert decode(compact).canonical() == decode(json.dumps(event, indent=4).encode()).canonical()


def test_null_is_the_same_as_nothing() -> None:
    bare = example("handoff.declined")
    del bare["data"]["reason"], bare["data"]["actor"]
    assert canonical({**bare, "data": {**bare["data"], "reason": None, "actor": None}}) == canonical(bare)


def test_a_default_written_out_is_the_same_as_nothing() -> None:
    bare = example("handoff.offered")
    del bare["site"], bare["sequence"], bare["specversion"]
    spoken = {**bare, "site": "", "sequence": 0, "specversion": "1.0", "data": {**bare["data"], "intent": "transfer"}}
    assert canonical(spoken) == canonical(bare)


def test_other_content_has_other_bytes() -> None:
    contents = {canonical(example("handoff.offered", data={"urgency": name})) for name in ("low", "high", "High")}
    assert len(contents) == 3


@settings(deadline=None)
@given(st.text("ab/#~ ", min_size=1, max_size=4), st.text("ab/#~ ", min_size=1, max_size=4))
def test_a_reference_can_be_split_into_source_and_id(source: str, identity: str) -> None:
    source = source.replace("#", "~")
    ref = decode(encoded(example("handoff.accepted", source=source, id=identity))).ref
    assert ref.partition("#")[::2] == (source, identity)


def test_events_are_ordered_by_time_then_sequence_then_source_then_id() -> None:
    ordered = [
        example("handoff.accepted", time="2026-03-02T09:00:00+01:00", sequence=9, source="z", id="9"),
        example("handoff.accepted", time="2026-03-02T08:00:01Z", sequence=1, source="b", id="2"),
        example("handoff.accepted", time="2026-03-02T08:00:01Z", sequence=2, source="a", id="2"),
        example("handoff.accepted", time="2026-03-02T08:00:01Z", sequence=2, source="b", id="1"),
        example("handoff.accepted", time="2026-03-02T08:00:01Z", sequence=2, source="b", id="2"),
    ]
    events = [decode(encoded(event)) for event in ordered]
    backwards = list(reversed(events))
    assert sorted(backwards, key=lambda event: event.order) == events


def test_events_cannot_be_changed() -> None:
    event = decode(encoded(example("handoff.accepted")))
    with pytest.raises(ValueError, match="frozen"):
        event.id = "other"  # type: ignore[misc]
