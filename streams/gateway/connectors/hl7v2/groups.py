"""Orders and results come in groups of segments: an ORC, what was ordered (OBR), what was observed (OBX)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from streams.gateway.connectors.hl7v2.er7 import Message, Segment

_NAMES = ("PID", "PV1", "ORC", "OBR", "OBX")


@dataclass(frozen=True, slots=True)
class Group:
    """One order. A segment that was not sent has no fields.

    Attributes:
        pid, pv1: the patient and visit that the order is of.
        leads: it has an ORC of its own; an OBR without is another test of the order before it.
    """

    pid: Segment
    pv1: Segment
    orc: Segment
    obr: Segment
    obx: Segment
    leads: bool

    @property
    def order(self) -> str:
        """The order's number: the placer's, else the filler's; empty if it has none.

        Without the system that gave it: senders name that on some of an order's messages and not on others.
        """
        places = ((self.orc, 2), (self.obr, 2), (self.orc, 3), (self.obr, 3))
        return next((found for segment, number in places if (found := _entity(segment, number))), "")


def groups(message: Message) -> Iterator[Group]:
    """The groups of a message, in their order."""
    found: list[dict[str, Segment]] = []
    patient: dict[str, Segment] = {}
    for segment in message.segments:
        if segment.name == "PID":
            patient = {"PID": segment}
        elif segment.name == "PV1":
            patient["PV1"] = segment
        elif segment.name == "ORC" or (segment.name == "OBR" and (not found or "OBR" in found[-1])):
            found.append({**patient, segment.name: segment})
        elif segment.name in ("OBR", "OBX") and found:
            found[-1].setdefault(segment.name, segment)
    for group in found:
        pid, pv1, orc, obr, obx = (group.get(name) or message.empty(name) for name in _NAMES)
        yield Group(pid, pv1, orc, obr, obx, leads="ORC" in group)


def _entity(segment: Segment, number: int) -> str:
    """An identifier (data type EI): its first part, or the third where only that one is told."""
    return segment.value(number) or segment.value(number, 3)
