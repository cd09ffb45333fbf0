"""Work items that stay open: one offer each, and a later event for some of them."""

from __future__ import annotations

from schemas.decoding import decode
from schemas.events import Event

_EVENT = (
    '{"specversion":"1.0","id":"%d-%d","source":"urn:bench","time":"2026-03-01T%02d:00:00Z","subject":"w%d",'
    '"process":"ed-to-ward","site":"","sequence":%d,"type":"tieline.%s.v1","data":{"actor":{"id":"bench:%032x",'
    '"kind":"human"},%s}}'
)


def offered(number: int) -> Event:
    """The event that begins a work item."""
    told = '"handoff_id":"h","from_role":"ed-physician","to_role":"hospitalist","intent":"transfer"'
    return decode((_EVENT % (number, 0, 10, number, 0, "handoff.offered", number % 50, told)).encode())


def worked(number: int) -> Event:
    """The next event of it."""
    told = '"role":"ed-physician"'
    return decode((_EVENT % (number, 1, 11, number, 1, "work_item.worked", number % 50, told)).encode())
