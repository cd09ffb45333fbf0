"""What a body holds: each event as its own bytes, and nothing else gets in or out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from streams.gateway.http.problems import Refused
from streams.gateway.http.split import BATCH, JSON, NDJSON, STRUCTURED, events_in, media_type

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(), lambda inner: st.lists(inner, max_size=3)
)


def split(kind: str, body: bytes, most: int = 100, **headers: str) -> list[bytes]:
    given = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return events_in(Headers(given), body, most)


def refusal(kind: str, body: bytes, most: int = 100, **headers: str) -> Refused:
    with pytest.raises(Refused) as refused:
        split(kind, body, most, **headers)
    return refused.value


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5), st.sampled_from([None, 2]))
def test_batch_is_split_into_its_elements_however_it_is_written(documents: list[Any], indent: int | None) -> None:
    body = f" \n{json.dumps(documents, indent=indent)}\t".encode()
    for kind in (BATCH, JSON):
        assert [json.loads(each) for each in split(kind, body)] == documents


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5))
def test_lines_are_split_at_line_ends_and_blank_ones_left_out(documents: list[Any]) -> None:
    body = "\r\n\n".join(json.dumps(each) for each in documents).encode()
    assert [json.loads(each) for each in split(NDJSON, body)] == documents


@given(st.binary(max_size=60))
def test_any_bytes_are_split_or_refused(body: bytes) -> None:
    for kind in (BATCH, JSON, NDJSON, STRUCTURED):
        with suppress(Refused):
            assert all(isinstance(each, bytes) for each in split(kind, body))


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1]]", b"[] []", b'["\xff"]', b"[" * 100_000],
)
def test_batch_that_is_no_array_is_not_json(body: bytes) -> None:
    assert refusal(BATCH, body).code == "not_json"


def test_number_too_long_to_read_is_not_json() -> None:
    assert refusal(BATCH, b"[" + b"9" * 5000 + b"]").code == "not_json"


def test_text_of_an_element_is_not_changed() -> None:
    assert split(BATCH, b'[{"a":1.10,"a":"\\u00e4"} , 1e5]') == [b'{"a":1.10,"a":"\\u00e4"}', b"1e5"]


def test_empty_batch_has_no_events() -> None:
    assert split(BATCH, b" [ ] ") == split(NDJSON, b"\n \n") == []


def test_one_event_more_than_allowed_is_too_many() -> None:
    assert len(split(BATCH, b"[1,2]", 2)) == 2
    for kind, body in ((BATCH, b"[1,2,3]"), (NDJSON, b"1\n2\n3")):
        refused = refusal(kind, body, 2)
        assert (refused.code, refused.more) == ("too_many_events", {"limit_events": 2})


def test_body_that_is_mostly_nothing_costs_little() -> None:
    began_s = process_time()
    assert split(BATCH, b"[" + b" " * 4_000_000 + b"1" + b"\n" * 4_000_000 + b"]") == [b"1"]
    assert refusal(NDJSON, b"\n" * 8_000_000).code == "too_many_events"
    assert refusal(BATCH, b"[[" + b"[]," * 2_000_000 + b"[]]]").code == "too_many_events"
    assert process_time() - began_s < 1.0


def test_single_event_is_handed_on_as_it_is() -> None:
    for kind in (STRUCTURED, JSON, "application/json; charset=utf-8", "Application/JSON"):
        assert split(kind, b" {nonsense") == [b" {nonsense"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application/cloudevents+avro", "json"])
def test_other_media_type_is_refused_and_told_what_is_read(kind: str) -> None:
    refused = refusal(kind, b"{}")
    assert refused.code == "unsupported_media_type"
    assert refused.more["accepted"] == [STRUCTURED, BATCH, NDJSON, JSON]


def test_other_charset_than_utf_8_is_refused() -> None:
    with pytest.raises(Refused):
        media_type("application/json; charset=utf-16")


def binary(body: bytes = b'{"role":"desk"}', **attributes: str) -> Mapping[str, Any]:
    given = {"specversion": "1.0", "type": "t", **attributes}
    (raw,) = split(JSON, body, **{f"ce_{name}": value for name, value in given.items()})
    found: dict[str, Any] = json.loads(raw)
    return found


def test_binary_mode_takes_attributes_from_headers_and_data_from_the_body() -> None:
    assert binary(id="1") == {"specversion": "1.0", "type": "t", "id": "1", "data": {"role": "desk"}}


def test_header_is_percent_decoded() -> None:
    assert binary(subject="ward%203%20%C3%A4%22")["subject"] == 'ward 3 ä"'


def test_sequence_in_a_header_is_a_number() -> None:
    assert binary(sequence="12")["sequence"] == 12
    assert binary(sequence="twelve")["sequence"] == "twelve"


def test_body_in_binary_mode_cannot_add_attributes() -> None:
    for body in (b'{},"source":"urn:other"', b'{}}{"a":1', b"", b"{", b"\xff"):
        assert refusal(JSON, body, ce_specversion="1.0").code == "not_json"


def test_header_cannot_stand_for_the_data() -> None:
    assert refusal(JSON, b"{}", ce_specversion="1.0", ce_data="x").code == "bad_header"


def test_header_that_is_not_utf_8_is_refused_by_name_only_if_the_name_is_ours() -> None:
    assert refusal(JSON, b"{}", ce_specversion="1.0", ce_subject="%ff").more == {"field": "subject"}
    assert refusal(JSON, b"{}", ce_specversion="1.0", ce_janeroe="%ff").more == {"field": ""}


def test_repeated_attribute_is_refused() -> None:
    headers = Headers(raw=[(b"content-type", b"application/json"), (b"ce-specversion", b"1.0"), (b"ce-id", b"1")] * 2)
    with pytest.raises(Refused) as refused:
        events_in(headers, b"{}", 1)
    assert refused.value.code == "bad_header"
