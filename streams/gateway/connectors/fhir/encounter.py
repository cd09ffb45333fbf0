"""Encounter: a stay, and the unit it is with. Where the patient is says who is responsible, not who agreed to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from streams.gateway.connectors.fhir.case import Case, Told
from streams.gateway.connectors.fhir.elements import Period, code, codings, parts, period, reference
from streams.gateway.connectors.fhir.owned import Course, OwnedState, owned_state
from streams.gateway.connectors.fhir.reference import Reference
from streams.gateway.connectors.fhir.resource import Resource, required_key
from streams.gateway.connectors.fhir.telling import Telling
from streams.gateway.connectors.fhir.version import version_of
from streams.gateway.connectors.reading_json import JsonObject

_COURSE = Course(
    open=frozenset({"arrived", "triaged", "in-progress"}),
    paused={"onleave": "onleave", "on-hold": "on-hold"},
    ended=frozenset({"finished", "discharged", "completed", "cancelled", "discontinued", "entered-in-error"}),
)
_HAPPENS = frozenset({"active", "completed", ""})
"""Of `location.status`: the patient is or was there."""
_ATTENDING = frozenset({"ATND"})


class Stay(NamedTuple):
    """Somebody was responsible for a while; without a start, since nobody knows when."""

    role: str
    period: Period


def read_encounter(encounter: Resource, case: Case) -> Told:
    """What a version of an Encounter says: it is a work item, and the unit it is with the owner.

    Raises: InvalidEvent: missing_field (no id), bad_time, invalid_value.
    """
    key, status = required_key(encounter), encounter.code("status")
    if status == "planned":
        return Told(unused=("planned",))
    if not _COURSE.knows(status):
        return Told(unused=("status",))
    before, version = owned_state(case.last(key)), version_of(encounter)
    if before is not None and version.older_than(before.order):
        return Told(unused=("stale",))
    if before is None and status == "entered-in-error":
        case.keep(key, OwnedState(version.order, status).snapshot())
        return Told(unused=("entered_in_error",))
    reading = _EncounterReading(encounter, status, before or OwnedState(), case, Telling(key, key))
    role = reading.tell()
    case.keep(key, OwnedState(version.order, status, role, reading.told).snapshot())
    return Told(tuple(reading.telling.drafts), reading.unused(role))


class _EncounterReading:
    """One version of an Encounter against the one before."""

    def __init__(self, encounter: Resource, status: str, before: OwnedState, case: Case, telling: Telling) -> None:
        self.encounter, self.status, self.before, self.case, self.telling = encounter, status, before, case, telling
        self.period = encounter.period("actualPeriod" if encounter.json.has("actualPeriod") else "period")
        self.updated_at = encounter.updated_at
        self.told = before.told

    def tell(self) -> str:
        """Everything that is new. Returns: the role that is responsible now."""
        begun_at = self._begun_at()
        if not self.before.status and begun_at is not None:
            self.telling.tell("work_item.opened", begun_at)
        role = self._tell_owners()
        if not self.before.status:
            self._tell_past_pauses()
        changed_at = self._changed_at()
        if changed_at is not None:
            _COURSE.tell(self.telling, self.before.status, self.status, changed_at, role)
        closed_at = self.period.end or self.updated_at
        if self.status in _COURSE.ended and self.before.status not in _COURSE.ended and closed_at is not None:
            self.telling.tell("work_item.closed", closed_at, role=role or None)
        return role

    def unused(self, role: str) -> tuple[str, ...]:
        if not self.telling.drafts and not self.before.status:
            return ("no_time",)
        if not role:
            return ("no_role",)
        return () if self.telling.drafts else ("unchanged",)

    def _begun_at(self) -> datetime | None:
        if self.period.start is not None:
            return self.period.start
        return min((past.start for status, past in self._history() if status != "planned" and past.start), default=None)

    def _changed_at(self) -> datetime | None:
        """When the status became what it is: when a pause ended, if the history says so, else with this version."""
        if self.before.status in _COURSE.paused and self.status in _COURSE.open:
            ends = [past.end for status, past in self._history() if status == self.before.status and past.end]
            return max(ends, default=self.updated_at)
        return self.updated_at

    def _history(self) -> Iterator[tuple[str, Period]]:
        """The statuses that are over (R4)."""
        for part in self.encounter.parts("statusHistory"):
            yield code(part.value("status")), period(part, "period")

    def _tell_past_pauses(self) -> None:
        for status, past in self._history():
            if status in _COURSE.paused and past.start is not None and past.end is not None:
                self.telling.tell("work_item.paused", past.start, reason=_COURSE.paused[status])
                self.telling.tell("work_item.resumed", past.end)

    def _tell_owners(self) -> str:
        """Who became responsible when, by the first element that says so. Returns: who is now."""
        for by in self.case.options.encounter_owner:
            stays = [stay for stay in _STAYS[by](self) if stay.role]
            if stays:
                return self._tell_stays(stays)
        return self.before.role

    def _tell_stays(self, stays: list[Stay]) -> str:
        dated = [stay for stay in stays if stay.period.start is not None]
        changes = _changes(dated)
        for at, role in changes:
            if _name(at, role) not in self.before.told:
                self.telling.tell("work_item.assigned", at, role=role)
        self.told = tuple(_name(at, role) for at, role in changes)
        owners = [role for _, role in changes]
        current = {stay.role for stay in stays if stay.period.start is None and stay.period.end is None}
        if len(current) != 1:
            return owners[-1] if owners else self.before.role
        role = current.pop()
        since = self.updated_at if self.before.status else self._begun_at() or self.updated_at
        if role != (self.before.role or (owners[-1] if owners else "")) and since is not None:
            self.telling.tell("work_item.assigned", since, role=role)
        return role

    def by_location(self) -> Iterator[Stay]:
        for part in self.encounter.parts("location"):
            if code(part.value("status")) in _HAPPENS:
                yield self._stay(part, ("location",))

    def by_attending(self) -> Iterator[Stay]:
        for part in self.encounter.parts("participant"):
            if {coding.code for kind in parts(part, "type") for coding in codings(kind)} & _ATTENDING:
                yield self._stay(part, ("individual", "actor"))

    def by_service_provider(self) -> Iterator[Stay]:
        provider = self.encounter.reference("serviceProvider")
        yield Stay(self._role(provider, self._begun_at() or self.updated_at), Period())

    def _stay(self, part: JsonObject, paths: Iterable[str]) -> Stay:
        lasted = period(part, "period")
        whom = next((found for path in paths for each in parts(part, path) if (found := reference(each))), None)
        return Stay(self._role(whom, lasted.start or self._begun_at() or self.updated_at), lasted)

    def _role(self, reference: Reference | None, at: datetime | None) -> str:
        return self.case.parties.role(reference, self.encounter, at) if at is not None else ""


_STAYS: dict[str, Callable[[_EncounterReading], Iterator[Stay]]] = {
    "location": _EncounterReading.by_location,
    "attending": _EncounterReading.by_attending,
    "service_provider": _EncounterReading.by_service_provider,
}


def _name(at: datetime, role: str) -> str:
    return f"{at.isoformat()} {role}"


def _changes(stays: list[Stay]) -> list[tuple[datetime, str]]:
    """When responsibility went to whom: at any time to the latest stay that lasts, so that it falls back to the ward
    when an operation inside of a stay on that ward is over."""
    at_times = sorted({at for stay in stays for at in (stay.period.start, stay.period.end) if at is not None})
    owners = [(at, _owner_at(stays, at)) for at in at_times]
    told = [(at, role) for at, role in owners if role]
    return told[:1] + [after for before, after in pairwise(told) if after[1] != before[1]]


def _owner_at(stays: list[Stay], at: datetime) -> str:
    lasting = [stay for stay in stays if stay.period.holds(at)]
    return max(lasting, key=lambda stay: (stay.period.start or at, stay.role)).role if lasting else ""
