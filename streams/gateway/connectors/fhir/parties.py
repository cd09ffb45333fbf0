"""Who is meant by a reference: which role, and which actor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from schemas.vocabulary import RoleKind
from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.fhir.directory import Directory
from streams.gateway.connectors.fhir.elements import Coding, validity
from streams.gateway.connectors.fhir.reference import Identifier, Reference
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.edge.draft import Acting

_KINDS: dict[str, tuple[RoleKind, ...]] = {
    "Organization": ("organization",),
    "HealthcareService": ("organization",),
    "CareTeam": ("group", "organization"),
    "Group": ("group",),
    "Location": ("location",),
}
_NAMED = frozenset({"Organization", "HealthcareService", "CareTeam", "Location"})
"""What is no person, so that its name may be looked up. Looked up only: a practice may be called after its doctor."""
_PERSONS = frozenset({"Practitioner", "Patient", "RelatedPerson", "Person"})
_UNTOLD: tuple[RoleKind, ...] = ("organization", "group", "location", "practitioner_role")
_NO_ROLES = frozenset({"http://terminology.hl7.org/CodeSystem/task-performer-type"})
"""Codes such as `performer`: what somebody is to a task, not to the process."""
_MAX_CODINGS = 20
_MAX_PARENTS = 8
"""Bed, bay, room, ward, building, …"""


class Parties:
    """Roles and actors, as far as the delivery and the policy's maps tell."""

    def __init__(self, directory: Directory, roles: Roles) -> None:
        self._directory, self._roles = directory, roles

    def role(self, reference: Reference | None, within: Resource, at: datetime) -> str:
        """The role that somebody had at an instant; empty if nobody says, or several are said."""
        if reference is None:
            return ""
        type_ = self._directory.type(reference, within)
        found = self._directory.find(reference, within)
        if type_ == "PractitionerRole":
            return self._role_of_practitioner_role(reference, found, within, at)
        if type_ == "Practitioner":
            return self._role_of_practitioner(reference, within, at)
        if type_ in _KINDS:
            return self._role_of_unit(type_, reference, found)
        if not type_:  # by identifier, without saying of what
            return self._looked_up(_UNTOLD, _addresses(reference))
        role = self._roles.mapped("association", type_) if type_ in ("Patient", "RelatedPerson", "Device") else ""
        return self._role_of_actor(reference, within) or role

    def coded(self, codings: tuple[Coding, ...]) -> str:
        """The role that codes of what somebody does stand for: by the policy's map, else the first code itself."""
        roles = tuple(coding for coding in codings if coding.system not in _NO_ROLES)
        mapped = self._mapped_code(roles)
        return mapped or (self._roles.named("practitioner_role", roles[0].code) if roles else "")

    def acting(self, reference: Reference | None, within: Resource) -> Acting | None:
        """Who acted; None for a unit, or for somebody who cannot be told from others."""
        if reference is None:
            return None
        type_ = self._directory.type(reference, within)
        if type_ == "PractitionerRole":
            found = self._directory.find(reference, within)
            practitioner = found.reference("practitioner") if found else None
            return self.acting(practitioner, found) if found and self._is_person(practitioner, found) else None
        key = self._directory.key(reference, within)
        if not key or type_ not in (*_PERSONS, "Device"):
            return None
        return Acting(key, "system" if type_ == "Device" else "human")

    def _is_person(self, reference: Reference | None, within: Resource) -> bool:
        return reference is not None and self._directory.type(reference, within) in _PERSONS

    def _role_of_actor(self, reference: Reference, within: Resource) -> str:
        actor = self.acting(reference, within)
        return self._roles.of_actor(actor) if actor else ""

    def _role_of_practitioner_role(
        self, reference: Reference, found: Resource | None, within: Resource, at: datetime
    ) -> str:
        if found is None:
            return self._looked_up(("practitioner_role",), _addresses(reference, bare=False))
        if not _in_use(found, at):
            return ""
        codings = found.codings("code")[:_MAX_CODINGS]
        return (
            self._mapped_code(codings)
            or self._looked_up(("practitioner_role",), (found.key, *_names(found.identifiers)))
            or self._role_of_place(found)
            or self._role_of_actor(reference, within)
            or self.coded(codings)
        )

    def _role_of_place(self, practitioner_role: Resource) -> str:
        """By where somebody works, if that is one role."""
        for path in ("healthcareService", "organization", "location"):
            places = practitioner_role.references(path)[:_MAX_CODINGS]
            roles = {role for place in places if (role := self._unit(place, practitioner_role))}
            if roles:
                return roles.pop() if len(roles) == 1 else ""
        return ""

    def _unit(self, reference: Reference, within: Resource) -> str:
        type_ = self._directory.type(reference, within)
        found = self._directory.find(reference, within)
        return self._role_of_unit(type_, reference, found) if type_ in _KINDS else ""

    def _role_of_practitioner(self, reference: Reference, within: Resource, at: datetime) -> str:
        known = self._role_of_actor(reference, within)
        if known:
            return known
        key = self._directory.key(reference, within)
        in_use = [role for role in self._directory.roles_of(key) if _in_use(role, at)]
        codings = [role.codings("code")[:_MAX_CODINGS] for role in in_use]
        roles = {
            self._mapped_code(each) or self._role_of_place(role) or self.coded(each)
            for role, each in zip(in_use, codings, strict=True)
        }
        return roles.pop() if len(roles) == 1 else ""

    def _role_of_unit(self, type_: str, reference: Reference, found: Resource | None) -> str:
        names = [*_addresses(reference)]
        if type_ in _NAMED and reference.display:
            names.append(reference.display)
        kinds = _KINDS[type_]
        for step in self._upwards(found):
            names += [step.key, step.key.partition("/")[2], *_names(step.identifiers)]
            name = step.json.value("name")
            if type_ in _NAMED and isinstance(name, str):
                names.append(name)
        return self._looked_up(kinds, tuple(names))

    def _upwards(self, found: Resource | None) -> Iterator[Resource]:
        """A unit and what it is part of."""
        for _ in range(_MAX_PARENTS):
            if found is None:
                return
            yield found
            parent = found.reference("partOf")
            found = self._directory.find(parent, found) if parent else None

    def _mapped_code(self, codings: tuple[Coding, ...]) -> str:
        return self._looked_up(("practitioner_role",), tuple(name for coding in codings for name in coding.names))

    def _looked_up(self, kinds: tuple[RoleKind, ...], names: tuple[str, ...]) -> str:
        found = (self._roles.mapped(kind, name) for kind in kinds for name in names if name)
        return next(filter(None, found), "")


def _in_use(practitioner_role: Resource, at: datetime) -> bool:
    """Whether somebody had this role at an instant. `active` is about today, so a period says more."""
    if practitioner_role.json.has("period"):
        return validity(practitioner_role.json, "period").holds(at)
    return practitioner_role.json.value("active") is not False


def _addresses(reference: Reference, bare: bool = True) -> tuple[str, ...]:
    """What maps may call something by a reference alone; `bare`: also by its id without the type."""
    own = (reference.key, reference.key.partition("/")[2]) if bare else (reference.key,)
    return (*own, *(reference.identifier.names if reference.identifier else ()))


def _names(identifiers: tuple[Identifier, ...]) -> tuple[str, ...]:
    return tuple(name for identifier in identifiers[:_MAX_CODINGS] for name in identifier.names)
