"""One FHIR resource: the few fields that are used, read with patience. R4 and R5 differ in shapes, less in words."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cached_property
from itertools import islice

from schemas.errors import InvalidEvent
from streams.gateway.connectors.fhir import elements
from streams.gateway.connectors.fhir.elements import MAX_REPEATS, Coding, Period, plain
from streams.gateway.connectors.fhir.reference import Identifier, Reference
from streams.gateway.connectors.reading_json import JsonObject

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


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
        return tuple(filter(None, (elements.identifier_of(item) for item in self.parts("identifier"))))

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
        return own or (elements.instant(self._entry, "response.lastModified") if self._entry else None)

    def code(self, path: str) -> str:
        """A code; empty if none is there, or something that is no code."""
        return elements.code(self.json.value(path))

    def instant(self, path: str) -> datetime | None:
        """See `elements.instant`."""
        return elements.instant(self.json, path)

    def period(self, path: str) -> Period:
        return elements.period(self.json, path)

    def codings(self, path: str) -> tuple[Coding, ...]:
        """Of a Coding, a CodeableConcept, a CodeableReference (R5), or a list of these."""
        return tuple(islice((coding for part in self.parts(path) for coding in elements.codings(part)), MAX_REPEATS))

    def references(self, path: str) -> tuple[Reference, ...]:
        """Of a Reference, a CodeableReference (R5), or a list of these."""
        return tuple(filter(None, (elements.reference(part) for part in self.parts(path))))

    def reference(self, path: str) -> Reference | None:
        """The first of `references`."""
        return next(iter(self.references(path)), None)

    def parts(self, path: str) -> tuple[JsonObject, ...]:
        """See `elements.parts`."""
        return elements.parts(self.json, path)


def required_key(resource: Resource) -> str:
    """The key of a resource.

    Raises: InvalidEvent: missing_field: it has none, so what it says could not be told from what others say.
    """
    if not resource.key:
        raise InvalidEvent("missing_field", resource.json.field("id"))
    return resource.key
