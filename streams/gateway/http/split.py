"""What a body holds: one event, a batch, lines, or the data of an event whose attributes are headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from email.message import Message
from typing import Any
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json
from starlette.datastructures import Headers

from streams.gateway.http.problems import Refused

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
JSON = "application/json"
MEDIA_TYPES = (STRUCTURED, BATCH, NDJSON, JSON)
ATTRIBUTE_PREFIX = "ce-"
MAX_CONTAINERS = 200_000
"""Objects and arrays in a batch: what a hostile body makes of its bytes in memory, about 100 bytes each."""
_BLANK = b" \t\n\r"
_BLANKS = re.compile(r"[ \t\n\r]*")
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # C: one JSON value and where it ends


def media_type(header: str) -> str:
    """The media type of a Content-Type header, in lower case.

    Raises: Refused: `unsupported_media_type`: it names another charset than UTF-8.
    """
    if ";" not in header:
        return header.strip().lower()
    message = Message()
    message["content-type"] = header
    charset = message.get_param("charset", "utf-8")
    if str(charset).lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refused("unsupported_media_type", accepted=list(MEDIA_TYPES))
    return message.get_content_type()


def events_in(headers: Headers, body: bytes, most_events: int) -> list[bytes]:
    """The JSON of each event, in order; single events are not looked into.

    Raises: Refused: `unsupported_media_type`, `not_json`, `too_many_events`, `bad_header`.
    Cost: 4 µs per event of a batch.
    """
    kind = media_type(headers.get("content-type", ""))
    if kind not in MEDIA_TYPES:
        raise Refused("unsupported_media_type", accepted=list(MEDIA_TYPES))
    if kind == JSON and "ce-specversion" in headers:
        return [_from_headers(headers, body)]
    if kind == NDJSON:
        if body.count(b"\n") > 2 * most_events:  # blank lines cost time and memory, too
            raise Refused("too_many_events", limit_events=most_events)
        return _require_count([line for line in body.split(b"\n") if line.strip(_BLANK)], most_events)
    if kind == BATCH or (kind == JSON and body.lstrip(_BLANK)[:1] == b"["):
        return _elements(body, most_events)
    return [body]


def _elements(body: bytes, most_events: int) -> list[bytes]:
    """The elements of a JSON array, each as its own bytes."""
    if body.count(b"[") + body.count(b"{") > max(MAX_CONTAINERS, 10 * most_events):
        raise Refused("too_many_events", limit_events=most_events)
    try:
        text = body.decode()
        return _require_count([*_scanned(text, most_events)], most_events)
    except (ValueError, RecursionError, StopIteration):
        raise Refused("not_json") from None


def _scanned(text: str, most_events: int) -> Iterable[bytes]:
    """Raises: ValueError: not one array and nothing else."""
    at = _past_blank(text, 0)
    _require(text[at : at + 1] == "[")
    at = _past_blank(text, at + 1)
    if text[at : at + 1] == "]":
        _require(_past_blank(text, at + 1) == len(text))
        return
    for _ in range(most_events + 1):
        try:
            _, end = _scan(text, at)
        except StopIteration:
            raise ValueError from None
        yield text[at:end].encode()
        at = _past_blank(text, end)
        if text[at : at + 1] == "]":
            _require(_past_blank(text, at + 1) == len(text))
            return
        _require(text[at : at + 1] == ",")
        at = _past_blank(text, at + 1)


def _past_blank(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _require(right: bool) -> None:
    if not right:
        raise ValueError


def _require_count(found: list[bytes], most_events: int) -> list[bytes]:
    if len(found) > most_events:
        raise Refused("too_many_events", limit_events=most_events)
    return found


def _from_headers(headers: Headers, body: bytes) -> bytes:
    """The event of a request in binary mode. Extensions that Tieline does not know are dropped when it is decoded."""
    attributes: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith(ATTRIBUTE_PREFIX):
            attribute = name.removeprefix(ATTRIBUTE_PREFIX)
            if attribute in attributes or attribute == "data":
                raise Refused("bad_header", field=attribute if attribute in _NAMED else "")
            attributes[attribute] = _decoded(attribute, value)
    try:
        # Read to its end first: spliced in unread, it could close the object and go on with attributes of its own.
        from_json(body, allow_inf_nan=False)
    except (ValueError, RecursionError):
        raise Refused("not_json") from None
    return b'%b,"data":%b}' % (json.dumps(attributes).encode()[:-1], body)


def _decoded(attribute: str, value: str) -> str | int:
    """A header's value: percent-encoded UTF-8; `sequence` is the one attribute that is a number."""
    if attribute == "sequence" and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise Refused("bad_header", field=attribute if attribute in _NAMED else "") from None


_NAMED = frozenset({"specversion", "id", "source", "type", "time", "subject", "process", "site", "sequence"})
