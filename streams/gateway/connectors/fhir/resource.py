"""One FHIR resource: the few fields that are used, read with patience. R4 and R5 differ in shapes, less in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from schemas.errors import InvalidEvent
from streams.gateway.connectors.fhir.reference import Identifier, Reference, reference_of
from streams.gateway.connectors.reading_json import JsonObject, iso_time

MAX_REPEATS = 200
"""Of one element; the rest is not read. A resource that says more is no record of work."""

_CODE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+( [^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+)*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
_PARTIAL_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_LEAP_SECOND = re.compile(r"(?<=T\d\d:\d\d:)60")
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_MAX_CODE_CHARS = 128
_LAST_YEAR = 9_000
_MAX_URI_CHARS = 1024


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


class Resource:
    """A resource of a delivery.

    Attributes:
        json: never to be logged.
        container: the resource that this one is contained in.
        full_url: of its entry in a bundle.
        entry: the entry itself, whose response may tell version and time.
    """

    def __init__(
        self,
        json: JsonObject,
        *,
        container: Resource | None = None,
        full_url: str = "",
        entry: JsonObject | None = None,
    ) -> None:
        self.json, self.container, self.full_url, self._entry = json, container, full_url, entry
        self.type = plain(json.value("resourceType"), 64)
        if not _TYPE.fullmatch(self.type):
            raise json.invalid("resourceType", "invalid_value" if json.has("resourceType") else "missing_field")

    @cached_property
    def key(self) -> str:
        """`Type/id`, or by what else it can be told from others outside of this delivery; empty if by nothing."""
        own = plain(self.json.value("id"), 128)
        if own and _ID.fullmatch(own) and self.container is None:
            return f"{self.type}/{own}"
        if self.full_url.startswith("urn:uuid:"):
            return f"{self.type}/{self.full_url.removeprefix('urn:uuid:')}"
        return next((f"{self.type}/{identifier.name}" for identifier in self.identifiers), "")

    @cached_property
    def identifiers(self) -> tuple[Identifier, ...]:
        return tuple(filter(None, (identifier_of(item) for item in self.parts("identifier"))))

    @cached_property
    def contained(self) -> dict[str, Resource]:
        """By local id; what cannot be read of it is left out."""
        found: dict[str, Resource] = {}
        for part in self.parts("contained"):
            local = plain(part.value("id"), 128)
            if local and _TYPE.fullmatch(plain(part.value("resourceType"), 64)):
                found.setdefault(local, Resource(part, container=self))
        return found

    @property
    def version_id(self) -> str:
        """As the server counts; empty if it does not say."""
        own = plain(self.json.value("meta.versionId"), 128)
        etag = plain(self._entry.value("response.etag"), 128) if self._entry else ""
        return own or etag.removeprefix("W/").strip('"')

    @property
    def updated_at(self) -> datetime | None:
        """When the server last wrote it."""
        own = self.instant("meta.lastUpdated")
        return own or (instant(self._entry, "response.lastModified") if self._entry else None)

    def code(self, path: str) -> str:
        """A code; empty if none is there, or something that is no code."""
        return code(self.json.value(path))

    def instant(self, path: str) -> datetime | None:
        """A point in time; None where there is nothing, or a date without a time of day.

        Raises: InvalidEvent: bad_time.
        """
        return instant(self.json, path)

    def period(self, path: str) -> Period:
        return period(self.json, path)

    def codings(self, path: str) -> tuple[Coding, ...]:
        """Of a Coding, a CodeableConcept, a CodeableReference (R5), or a list of these."""
        return tuple(islice((coding for part in self.parts(path) for coding in codings(part)), MAX_REPEATS))

    def references(self, path: str) -> tuple[Reference, ...]:
        """Of a Reference, a CodeableReference (R5), or a list of these."""
        return tuple(filter(None, (reference(part) for part in self.parts(path))))

    def reference(self, path: str) -> Reference | None:
        """The first of `references`."""
        return next(iter(self.references(path)), None)

    def parts(self, path: str) -> tuple[JsonObject, ...]:
        """What may be one object or a list of them, depending on the version of FHIR; whatever else is there is not."""
        return parts(self.json, path)


def parts(json: JsonObject, path: str) -> tuple[JsonObject, ...]:
    """See `Resource.parts`."""
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
    """See `Resource.instant`."""
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


def required_key(resource: Resource) -> str:
    """The key of a resource.

    Raises: InvalidEvent: missing_field: it has none, so what it says could not be told from what others say.
    """
    if not resource.key:
        raise InvalidEvent("missing_field", resource.json.field("id"))
    return resource.key
