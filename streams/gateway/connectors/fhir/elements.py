"""Elements of resources: codes, references, periods, times. Optional ones that cannot be read are taken as absent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from streams.gateway.connectors.fhir.reference import Identifier, Reference, reference_of
from streams.gateway.connectors.reading_json import JsonObject, iso_time

MAX_REPEATS = 200
"""Of one element; the rest is not read. A resource that says more is no record of work."""

_CODE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+( [^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+)*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
_PARTIAL_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_LEAP_SECOND = re.compile(r"(?<=T\d\d:\d\d:)60")
_MAX_CODE_CHARS = 128
_MAX_URI_CHARS = 1024
_LAST_YEAR = 9_000


class Coding(NamedTuple):
    """A code and the system it is of, either of which may be empty."""

    system: str
    code: str

    @property
    def names(self) -> tuple[str, ...]:
        """What settings and maps may call it: `system|code`, then the code alone."""
        return (f"{self.system}|{self.code}", self.code) if self.system else (self.code,)


class Period(NamedTuple):
    """From and to, where they are instants. A date without a time of day is no instant."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def parts(json: JsonObject, path: str) -> tuple[JsonObject, ...]:
    """What may be one object or a list of them, depending on the version of FHIR; whatever else is there is not."""
    found = json.value(path)
    if isinstance(found, dict):
        return (JsonObject(found, json.field(path)),)
    if not isinstance(found, list):
        return ()
    items = ((n, item) for n, item in enumerate(found) if isinstance(item, dict))
    return tuple(JsonObject(item, json.field(f"{path}.{n}")) for n, item in islice(items, MAX_REPEATS))


def part(json: JsonObject, path: str) -> JsonObject | None:
    """The first of `parts`."""
    return next(iter(parts(json, path)), None)


def period(json: JsonObject, path: str) -> Period:
    """A Period; one without ends if there is none."""
    found = part(json, path)
    return Period(instant(found, "start"), instant(found, "end")) if found else Period()


def validity(json: JsonObject, path: str) -> Period:
    """A Period that may have dates: from the first instant of its start to the last of its end, both in UTC.

    Raises: InvalidEvent: bad_time.
    """
    found = part(json, path)
    if found is None:
        return Period()
    start, end = (plain(found.value(name), 64) for name in Period._fields)
    return Period(
        _first_instant(start) if _PARTIAL_DATE.fullmatch(start) else instant(found, "start"),
        _last_instant(end) if _PARTIAL_DATE.fullmatch(end) else instant(found, "end"),
    )


def _first_instant(date: str) -> datetime | None:
    try:
        return datetime.fromisoformat((date + "-01-01")[:10]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _last_instant(date: str) -> datetime | None:
    """The end of a year, month or day."""
    first = _first_instant(date)
    if first is None or first.year > _LAST_YEAR:
        return None
    if len(date) == 4:
        return first.replace(year=first.year + 1)
    return (first + timedelta(days=32)).replace(day=1) if len(date) == 7 else first + timedelta(days=1)


def instant(json: JsonObject, path: str) -> datetime | None:
    """A point in time, in UTC; None where there is nothing, or a date without a time of day.

    Raises: InvalidEvent: bad_time.
    """
    text = json.text_or(path)
    if not text or _PARTIAL_DATE.fullmatch(text):
        return None
    return iso_time(_LEAP_SECOND.sub("59", text), json.field(path))


def codings(concept: JsonObject) -> Iterator[Coding]:
    """Of a Coding, a CodeableConcept or a CodeableReference."""
    inner = part(concept, "concept") or concept
    for coding in parts(inner, "coding") if inner.has("coding") else (inner,):
        found = code(coding.value("code"))
        if found:
            yield Coding(plain(coding.value("system"), _MAX_URI_CHARS), found)


def reference(json: JsonObject) -> Reference | None:
    """Of a Reference or a CodeableReference; None if it refers to nothing that can be told."""
    inner = part(json, "reference") or json
    identifier = part(inner, "identifier")
    return reference_of(
        plain(inner.value("reference"), _MAX_URI_CHARS),
        plain(inner.value("type"), _MAX_URI_CHARS),
        identifier_of(identifier) if identifier else None,
        plain(inner.value("display"), 256),
    )


def identifier_of(json: JsonObject) -> Identifier | None:
    """System and value; None without a value."""
    value = plain(json.value("value"), 128)
    return Identifier(plain(json.value("system"), _MAX_URI_CHARS), value) if value else None


def code(value: object) -> str:
    """A text if it is a code, else empty."""
    return value if isinstance(value, str) and len(value) <= _MAX_CODE_CHARS and _CODE.fullmatch(value) else ""


def plain(value: object, max_chars: int) -> str:
    """A text of one line without spaces around it, else empty: what is optional is no reason to refuse the rest."""
    if not isinstance(value, str) or len(value) > max_chars or not _PLAIN.fullmatch(value):
        return ""
    return value.strip()
