"""Older versions of events become current ones here, by pure functions on plain JSON objects.

A version that was ever published stays readable for ever. An upcaster takes the whole event as parsed JSON and
returns a new object of the next version; versions are climbed one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Upcaster = Callable[[Json], Json]


def offered_v0(event: Json) -> Json:
    """`elements` was the list of what was present; v1 also says what was missing, so a list cannot be compared
    against required elements. Every listed element becomes `true`."""
    data = event.get("data")
    elements = data.get("elements") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(elements, list):
        data = {**data, "elements": {name: True for name in elements if isinstance(name, str)}}
    return {**event, "type": "tieline.handoff.offered.v1", "data": data}


UPCASTERS: dict[str, Upcaster] = {"tieline.handoff.offered.v0": offered_v0}


def upcast(event: Json) -> Json:
    """Raise an event of an older version to the current one; a current or unknown type comes back as it is."""
    while (step := UPCASTERS.get(event.get("type", ""))) is not None:
        event = step(event)
    return event
