"""What a delivery holds: one resource, or a Bundle of any kind, which may be a subscription's notification."""

from __future__ import annotations

from typing import NamedTuple

from schemas.errors import InvalidEvent
from streams.gateway.connectors.fhir.elements import code, plain
from streams.gateway.connectors.fhir.notification import notification_of
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.connectors.fhir.version import version_of
from streams.gateway.connectors.reading_json import JsonObject

MAX_ENTRIES = 5_000
NO_RESOURCE = "no_resource"
_MAX_URL_CHARS = 1024
_NEWEST_FIRST = frozenset({"history", "subscription-notification"})


class Delivered(NamedTuple):
    """The resources of a delivery, the older version of a resource before the newer one.

    Attributes:
        bundled: they came in a Bundle, where one that cannot be used is no reason to refuse the others.
        unused: codes, as of a reading.
    """

    resources: tuple[Resource, ...]
    bundled: bool = False
    unused: tuple[str, ...] = ()


def delivered_in(payload: JsonObject) -> Delivered:
    """The resources in a payload.

    Raises: InvalidEvent: missing_field or invalid_value (no resource), too_large (more than 5,000 entries).
    """
    top = Resource(payload)
    if top.type != "Bundle":
        return Delivered((top,))
    found = [_entry(entry, payload.field(f"entry.{number}")) for number, entry in enumerate(_entries(payload))]
    resources = [each for each in found if isinstance(each, Resource)]
    unused = [each for each in found if isinstance(each, str)]
    notification = notification_of(resources[0]) if resources else None
    if notification is not None:
        resources = resources[1:]
        unused = [each for each in unused if each != NO_RESOURCE] + notification.unused(resources)
    if top.code("type") in _NEWEST_FIRST:
        resources.reverse()  # counts only for what tells no version
    return Delivered(tuple(sorted(resources, key=_order)), True, tuple(unused))


def _entries(bundle: JsonObject) -> list[object]:
    entries = bundle.value("entry")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise bundle.invalid("entry")
    if len(entries) > MAX_ENTRIES:
        raise bundle.invalid("entry", "too_large")
    return entries


def _entry(raw: object, path: str) -> Resource | str:
    """The resource of an entry, or why there is none."""
    if not isinstance(raw, dict):
        return "entry.invalid_value"
    entry = JsonObject(raw, path)
    resource, request = entry.value("resource"), entry.value("request")
    if not isinstance(resource, dict):
        return "deleted" if isinstance(request, dict) and code(request.get("method")) == "DELETE" else NO_RESOURCE
    try:
        found = Resource(
            JsonObject(resource, f"{path}.resource"),
            full_url=plain(raw.get("fullUrl"), _MAX_URL_CHARS),
            entry=entry,
        )
    except InvalidEvent as invalid:
        return f"entry.{invalid.code}"
    return "nested_bundle" if found.type == "Bundle" else found


def _order(resource: Resource) -> str:
    try:
        return version_of(resource).order
    except InvalidEvent:
        return ""  # whoever reads it will say so
