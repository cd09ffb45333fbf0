"""Where a patient is (data type PL: point of care ^ room ^ bed ^ facility) and whose that place is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.hl7v2.er7 import Segment
from streams.gateway.connectors.hl7v2.options import Hl7v2Options


class Place(NamedTuple):
    """A location, without what a person's location could be narrowed down by further (building, floor)."""

    point_of_care: str = ""
    room: str = ""
    bed: str = ""
    facility: str = ""

    def role(self, roles: Roles) -> str:
        """The role of the most specific entry of the map; else the point of care is a role by itself."""
        for name in self._names():
            role = roles.mapped("location", name)
            if role:
                return role
        return roles.named("location", self.point_of_care)

    def site(self, options: Hl7v2Options) -> str:
        """As the source's settings choose."""
        return {"facility": self.facility, "point_of_care": self.point_of_care, "none": ""}[options.site]

    def _names(self) -> Iterator[str]:
        """As a map names them, most specific first: `ICU^12^2^NORTH`, …, `ICU^12`, `ICU^^^NORTH`, `ICU`, `^^^NORTH`."""
        care, room, bed, facility = self
        tried = (
            (care, room, bed, facility),
            (care, room, bed, ""),
            (care, room, "", facility),
            (care, room, "", ""),
            (care, "", "", facility),
            (care, "", "", ""),
            ("", "", "", facility),
        )
        yield from dict.fromkeys(name for name in ("^".join(parts).rstrip("^") for parts in tried) if name)


def read_place(segment: Segment, number: int) -> Place:
    """The place in a field; all parts empty where there is none."""
    return Place(*(segment.value(number, component) for component in (1, 2, 3, 4)))
