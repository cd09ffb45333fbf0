"""The shortcut for canonical bytes gives what the models give, or nothing; it never takes what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical_form import read_canonical
from schemas.decoding import MAX_EVENT_BYTES, decode, decode_strictly, decode_with_canonical
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, Event
from schemas.vocabulary import EARLIEST, LATEST, UtcTime
from tests.unit.schemas.examples import Json, encoded, examples

WITHOUT_A_FORM = {"tieline.intervention.started.v1", "tieline.survey.scored.v1"}
each_example = st.sampled_from(range(len(examples()))).map(lambda number: examples()[number])
spicy = st.text(st.sampled_from(list('a,":{}[]\\/#\x00\x1f\x7f\x9f é\u2028\u2029\ufeff😀')), max_size=6)
texts = st.text(max_size=12) | spicy | st.sampled_from(["x" * 64, "x" * 128, "x" * 129, "x" * 256, "x" * 257])
actors = st.builds(
    lambda id, kind: {"id": id, "kind": kind},
    st.sampled_from(["k:" + "0" * 32, "k_1-:" + "f" * 32]),
    st.sampled_from(["human", "bot", "system", "unknown"]),
)
times = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
ROLES = st.lists(texts.filter(bool), min_size=1, max_size=4) | st.just([",", ":", "a", "],["])


def other(data: st.DataObject, name: str, value: Any) -> Any:
    """Another value for a field: of its own kind, mostly."""
    if name in ("time", "due_at", "needed_at", "reply_due_at", "respond_by"):
        return data.draw(times).isoformat()
    if name == "actor":
        return data.draw(actors)
    if name == "to_roles":
        return data.draw(ROLES)
    if name == "elements":
        return data.draw(st.dictionaries(texts, st.booleans(), max_size=4))
    if name == "sequence":
        return data.draw(st.sampled_from([0, 1, 10**17, 10**18, 2**63 - 1, 2**63]))
    return data.draw(texts) if isinstance(value, str) else value


@st.composite
def valid_events(draw: st.DrawFn) -> Event:
    """Events of all types: some fields left out, some with hostile texts, but all of them valid."""
    event, data = draw(each_example), draw(st.data())
    for place in (event, event["data"]):
        for name in draw(st.sets(st.sampled_from(sorted(place)), max_size=3)):
            was = place[name]
            if name != "data" and draw(st.booleans()):
                place[name] = other(data, name, was)
            elif name != "data":
                del place[name]
            if not accepted(event):
                place[name] = was
    return decode_strictly(encoded(event))


def accepted(event: Json) -> bool:
    try:
        decode_strictly(encoded(event))
    except InvalidEvent:
        return False
    return True


def assert_same(found: Event, wanted: Event) -> None:
    assert found == wanted
    assert found.canonical() == wanted.canonical()
    for one, other in ((found, wanted), (found.data, wanted.data)):
        assert type(one) is type(other)
        assert list(one.__dict__) == list(other.__dict__)
        assert one.model_fields_set == other.model_fields_set
        assert [type(value) for value in one.__dict__.values()] == [type(value) for value in other.__dict__.values()]
    assert found.time.tzinfo is wanted.time.tzinfo is UTC


@settings(max_examples=400)
@given(valid_events())
def test_canonical_bytes_are_read_as_the_models_read_them(event: Event) -> None:
    raw = event.canonical()
    found = read_canonical(raw)
    if event.type not in WITHOUT_A_FORM and b"\\" not in raw and event.sequence < 10**18:
        assert found is not None
    if found is not None:
        assert_same(found, decode_strictly(raw))
    assert_same(decode(raw), decode_strictly(raw))
    assert decode_with_canonical(raw) == (event, raw)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Canonical bytes with a byte, a character or a passage put in, replaced, taken out or said twice."""
    raw = draw(each_example.map(lambda event: decode_strictly(encoded(event)).canonical()))
    start = draw(st.integers(0, len(raw)))
    end = draw(st.integers(start, min(len(raw), start + 12)))
    passage = st.sampled_from(
        [
            b"",
            b",",
            b'"',
            b"{",
            b"}",
            b"[]",
            b"\\",
            b"\\u0041",
            b" ",
            b"\n",
            b"0",
            b"-1",
            b"1.0",
            b"null",
            b"\xff",
            b"\xed\xa0\x80",
            "é".encode(),
            "٣".encode(),
            "\u2028".encode(),
            b'"x":1,',
            raw[start:end] * 2,
            b"T24",
            b"99",
        ]
    )
    return raw[:start] + draw(passage | st.binary(max_size=3)) + raw[end:]


@settings(max_examples=1500)
@given(spoiled())
def test_what_is_not_canonical_is_left_to_the_models(raw: bytes) -> None:
    found = read_canonical(raw)
    if found is not None:
        assert_same(found, decode_strictly(raw))
        assert found.canonical() == raw


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ('"specversion"', ' "specversion"'),
        ('"sequence":4', '"sequence":04'),
        ('"sequence":4', '"sequence":٤'),
        ('"sequence":4', '"sequence":9223372036854775808'),
        ('"sequence":4', '"sequence":-0'),
        ("T08:00:00Z", "T08:00:00.000000Z"),
        ("T08:00:00Z", "T08:00:00.5Z"),
        ("T08:00:00Z", "T24:00:00Z"),
        ("T08:00:00Z", "T08:00:60Z"),
        ("T08:00:00Z", "T08:00:00+00:00"),
        ("2026-01-05", "2026-02-30"),
        ("2026-01-05", "1969-12-31"),
        ("2026-01-05", "2200-01-01"),
        ('["a","b"]', '["b","a"]'),
        ('["a","b"]', '["a","a"]'),
        ('["a","b"]', "[]"),
        ('["a","b"]', '["a","b",]'),
        ('["a","b"]', '["a",""]'),
        ('["a","b"]', "[" + ",".join(f'"{n:02}"' for n in range(33)) + "]"),
        ('"expects_reply":true', '"expects_reply":true,"note":"x"'),
        ('"expects_reply":true', '"expects_reply":true,"expects_reply":true'),
        (',"expects_reply":true', ""),
        ('"kind":"human"', '"kind":"human","name":"x"'),
        ('"kind":"human"', '"kind":"person"'),
        ('"data":{', '"data":{,'),
        ("}}", "}} "),
        ("}}", "},}"),
        ("}}", "}}}"),
    ],
)
def test_other_spellings_are_not_read_by_the_shortcut(was: str, instead: str) -> None:
    raw = (
        b'{"specversion":"1.0","id":"1","source":"s","time":"2026-01-05T08:00:00Z","subject":"w","process":"p","site":""'
        b',"sequence":4,"type":"tieline.communication.sent.v1","data":{"actor":{"id":"k:00000000000000000000000000000000"'
        b',"kind":"human"},"message_id":"m","role":"a","to_roles":["a","b"],"expects_reply":true}}'
    )
    assert read_canonical(raw) is not None
    changed = raw.replace(was.encode(), instead.encode())
    assert changed != raw
    assert read_canonical(changed) is None


def test_every_type_but_two_has_a_form() -> None:
    """A new kind of field costs speed until it has a form; this says so."""
    unread = {event["type"] for event in examples() if read_canonical(decode(encoded(event)).canonical()) is None}
    assert unread == WITHOUT_A_FORM


def test_the_range_of_times_is_the_contracts() -> None:
    first, last = EARLIEST.isoformat(), (LATEST - datetime.resolution).isoformat()
    for instant in (first, last):
        event = decode_strictly(encoded({**examples()[0], "time": instant}))
        assert read_canonical(event.canonical()) == event


def test_fields_of_one_model_are_not_shared_with_another() -> None:
    raw = next(decode(encoded(event)).canonical() for event in examples() if "elements" in event["data"])
    one, another = read_canonical(raw), read_canonical(raw)
    assert one is not None
    assert another is not None
    assert one.data.elements is not another.data.elements  # type: ignore[union-attr]


def test_too_much_is_refused_before_it_is_read() -> None:
    raw = json.dumps(examples()[0]).encode().ljust(MAX_EVENT_BYTES + 1)
    for read in (decode, decode_with_canonical):
        with pytest.raises(InvalidEvent, match="too_large"):
            read(raw)


def test_all_times_of_the_contract_are_the_one_kind_that_has_a_form() -> None:
    for event in EVENT_TYPES.values():
        hints = get_type_hints(event.model_fields["data"].annotation, include_extras=True)
        for name, hint in hints.items():
            if name.endswith(("_at", "_by")) and name != "reported_by":
                assert hint == UtcTime | None
