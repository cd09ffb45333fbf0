"""One movement of a visit, and the drafts that tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from streams.gateway.connectors.hl7v2.er7 import Segment
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.connectors.hl7v2.times import stamp
from streams.gateway.edge.draft import Acting, Draft, Reading

NO_ROLE, NO_VISIT = "no_role", "no_visit"
Verb = Literal["opened", "reopened", "resumed", "assigned", "paused", "closed"]

_ORDER: tuple[Verb, ...] = ("opened", "reopened", "resumed", "assigned", "paused", "closed")
_PLACES = 8


@dataclass(frozen=True, slots=True)
class Movement:
    """What one ADT message says of one visit.

    Attributes:
        moved_to: the point of care, where the movement is one to there; part of the ids.
        role: whose the visit is by its location or service; empty if nothing says so.
        attending: the role of the attending physician, by the map of people; empty if nothing says so.
        temporary, pending: a temporary (PV1-11) or pending (PV1-42) location is told.
        step: its place among movements of the same time.
    """

    visit: str
    trigger: str
    at: datetime
    moved_to: str
    role: str
    attending: str
    temporary: bool
    pending: bool
    actor: Acting | None
    site: str
    step: int

    def says(self, verbs: Sequence[Verb], *, role: str | None = None, reason: str = "") -> Reading:
        """These verbs of `tieline.work_item`, as one reading. An owner that is not known is not told: `no_role`."""
        owner = self.role if role is None else role
        told = [verb for verb in verbs if verb != "assigned" or owner]
        drafts = tuple(self._draft(verb, owner, reason) for verb in told)
        return Reading(drafts, () if len(told) == len(verbs) else (NO_ROLE,))

    def _draft(self, verb: Verb, owner: str, reason: str) -> Draft:
        data = {"assigned": {"role": owner}, "paused": {"reason": reason}}.get(verb, {})
        return Draft(
            type=f"tieline.work_item.{verb}.v1",
            id=f"{self._id()}:{verb}",
            time=self.at,
            subject=self.visit,
            data=data,
            actor=self.actor,
            site=self.site,
            sequence=self.step * _PLACES + _ORDER.index(verb),
        )

    def _id(self) -> str:
        """Visit, trigger and time: a sender that sends a message again gives it another control id.

        The place is that of the movement without room and bed, which are often told later.
        """
        moved = f":{self.moved_to}" if self.moved_to else ""
        return f"{self.visit}:{self.trigger}:{stamp(self.at)}{moved}"


def visit_number(pid: Segment, pv1: Segment, options: Hl7v2Options) -> str:
    """The number of the visit, from the first of the chosen fields that has one; empty if none has.

    Never the patient's number (PID-3): that names a person.
    """
    for choice in options.visit:
        name, _, number = choice.partition("-")
        found = (pid if name == pid.name else pv1).value(int(number))
        if found:
            return found
    return ""
