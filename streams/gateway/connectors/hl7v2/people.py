"""Who acted: the id number of a person's field (data type XCN), never the name beside it."""

from __future__ import annotations

from streams.gateway.connectors.hl7v2.er7 import Segment
from streams.gateway.edge.draft import Acting


def person(segment: Segment, number: int) -> Acting | None:
    """The person in the first repetition; None where no id is told. Programs have ids, too: the kind is unknown."""
    name = segment.value(number)
    return Acting(name) if name else None
