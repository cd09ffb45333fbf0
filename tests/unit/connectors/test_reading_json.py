"""Hostile bytes become known fields or an error that repeats none of them."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidEvent
from streams.gateway.connectors.reading_json import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    JsonObject,
    epoch_time,
    iso_time,
    read_object,
    read_value,
)


def payload(**fields: object) -> JsonObject:
    return read_object(json.dumps(fields).encode())


def refused(body: bytes) -> str:
    with pytest.raises(InvalidEvent) as caught:
        read_object(body)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b"{", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": -Infinity}', "not_json"),
        (b'{"a": 1e999}', "not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
        (b'{"a": "\x01"}', "not_json"),
        (b"{} {}", "not_json"),
        (b"[]", "not_object"),
        (b"null", "not_object"),
        (b'"{"', "not_object"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', "duplicate_key"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "too_deep"),
        (b"[" * 1000 + b"]" * 1000, "too_deep"),
        (b"[" + b"[]," * (MAX_CONTAINERS + 1) + b"1]", "too_large"),
        (b" " * (8 * 1024 * 1024 + 1), "too_large"),
    ],
)
def test_bytes_that_are_no_honest_object_are_refused(body: bytes, code: str) -> None:
    assert refused(body) == code


def test_depth_up_to_the_limit_is_read() -> None:
    body = b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1)
    assert read_object(body).has("a.a.a")


def test_brackets_within_texts_are_no_depth() -> None:
    text = '[{"\\' * 500
    assert payload(a=text).raw == {"a": text}


def test_byte_order_mark_is_no_fault() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": 1}').integer("a") == 1


@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\u0d8 \n1eN', max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(InvalidEvent):
        read_value(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=20,
    )
)
def test_honest_values_come_through_unchanged(value: object) -> None:
    assert read_value(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 4_000_000,
        b"\\" * 8_000_000,
        b'{"a":"' + b"x" * 8_000_000 + b'"}',
        b"[" * 8_000_000,
        b'"",' * 2_000_000,
        b"[" + b"1" * 8_000_000,
        b"[" + b"[]," * 199_000 + b"[]]",
    ],
    ids=["escaped quotes", "backslashes", "one text", "brackets", "texts", "one number", "many lists"],
)
def test_eight_hostile_megabytes_cost_no_more_than_a_second(body: bytes) -> None:
    before = time.process_time()
    with suppress(InvalidEvent):
        read_value(body)
    assert time.process_time() - before < 1


def test_required_field_names_itself_when_it_is_missing() -> None:
    for missing in ({}, {"issue": None}, {"issue": {}}, {"issue": {"id": None}}, {"issue": {"id": "  "}}):
        with pytest.raises(InvalidEvent) as caught:
            payload(**missing).ident("issue.id")
        assert (caught.value.code, caught.value.field) == ("missing_field", "issue.id")


def test_optional_field_may_be_absent_null_or_blank() -> None:
    for absent in ({}, {"issue": None}, {"issue": {}}, {"issue": {"key": None}}, {"issue": {"key": " "}}):
        one = payload(**absent)
        assert one.text_or("issue.key") == ""
        assert one.ident_or("issue.key", "none") == "none"
        assert one.time_or("issue.key") is None
        assert one.epoch_ms_or("issue.key") is None
        assert one.free_text("issue.key").strip() == ""


def test_wrong_type_is_named_by_its_path_and_never_by_its_value() -> None:
    one = payload(a={"b": [{"c": {"Jane": 1}}]})
    with pytest.raises(InvalidEvent) as caught:
        one.children("a.b")[0].text("c")
    assert str(caught.value) == "invalid_value at a.b.0.c"
    with pytest.raises(InvalidEvent) as caught:
        one.text("a.b.c")
    assert str(caught.value) == "invalid_value at a.b"


def test_representation_shows_nothing_of_the_payload() -> None:
    assert "Jane" not in repr(payload(Jane="Jane"))


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "a\u2028b", "\ud800", "a" * 257])
def test_names_are_one_plain_short_line(text: str) -> None:
    for read in (JsonObject.text, JsonObject.text_or, JsonObject.ident):
        with pytest.raises(InvalidEvent, match="invalid_value at a"):
            read(payload(a=text), "a")
    with pytest.raises(InvalidEvent, match=r"invalid_value at a\.1"):
        payload(a=["fine", text]).texts("a")


def test_free_text_is_taken_as_it_is_but_always_encodable() -> None:
    assert payload(a="half an emoji \ud83d\n").free_text("a") == "half an emoji \ufffd\n"
    assert len(payload(a="x" * 200_000).free_text("a")) == 100_000


def test_true_is_no_number() -> None:
    for read in (JsonObject.integer, JsonObject.ident, JsonObject.epoch_ms):
        with pytest.raises(InvalidEvent, match="invalid_value at a"):
            read(payload(a=True), "a")


def test_number_beyond_64_bits_is_refused() -> None:
    assert payload(a=2**63 - 1).ident("a") == str(2**63 - 1)
    for read in (JsonObject.integer, JsonObject.ident):
        with pytest.raises(InvalidEvent, match="invalid_value at a"):
            read(payload(a=2**63), "a")


def test_nulls_in_lists_are_left_out() -> None:
    one = payload(texts=["a", None, " "], parts=[None, {"b": 1}])
    assert one.texts("texts") == ("a",)
    assert [part.integer("b") for part in one.children("parts")] == [1]
    assert one.children("none") == one.texts("none") == ()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2019-05-15T15:20:18Z", datetime(2019, 5, 15, 15, 20, 18, tzinfo=UTC)),
        ("2019-02-15T19:11:18.321-0800", datetime(2019, 2, 16, 3, 11, 18, 321000, tzinfo=UTC)),
        ("2019-06-04T00:50:04.873+0000", datetime(2019, 6, 4, 0, 50, 4, 873000, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123456789+01:00", datetime(2025, 12, 31, 23, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_iso_time_is_an_instant_in_utc(text: str, at: datetime) -> None:
    read = payload(at=text).time("at")
    assert read == at
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2019-05-15T15:20:18",
        "2019-05-15",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "1" * 60,
        "2019-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠١٩-05-15T15:20:18Z",
    ],
)
def test_text_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidEvent, match="bad_time at at"):
        payload(at=text).time("at")
    with pytest.raises(InvalidEvent, match="bad_time at at"):
        iso_time(text, "at")


def test_time_without_a_zone_is_read_in_the_given_one() -> None:
    zone = timezone(timedelta(hours=1))
    assert payload(at="2026-01-01 12:00:00").time("at", zone) == datetime(2026, 1, 1, 11, tzinfo=UTC)


def test_epoch_time_is_a_number_or_its_digits() -> None:
    at = datetime(2019, 2, 16, 3, 11, 18, 321000, tzinfo=UTC)
    assert payload(at=1550286678321).epoch_ms("at") == payload(at="1550286678321").epoch_ms("at") == at
    assert payload(at=1550286678).epoch_s("at") == at.replace(microsecond=0)


@pytest.mark.parametrize("given", [-1, 2**62, "soon", "1e9", "١٢", "9" * 70])
def test_number_that_is_no_instant_is_refused(given: object) -> None:
    with pytest.raises(InvalidEvent, match="bad_time at at"):
        payload(at=given).epoch_ms("at")
    with pytest.raises(InvalidEvent, match="bad_time at at"):
        epoch_time(str(given), "at", timedelta(seconds=1))
