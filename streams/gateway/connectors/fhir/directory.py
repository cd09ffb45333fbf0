"""The resources of one delivery by how others refer to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

from streams.gateway.connectors.fhir.elements import MAX_REPEATS
from streams.gateway.connectors.fhir.reference import Reference
from streams.gateway.connectors.fhir.resource import Resource

_MAX_ROLES = 20
"""Of one practitioner."""


class Directory:
    """Finds what a reference refers to, if it came with the delivery. Of several versions the last one given counts."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_key: dict[str, Resource] = {}
        self._by_url: dict[str, Resource] = {}
        self._by_identifier: dict[tuple[str, str], Resource] = {}
        self._roles: dict[str, dict[str, Resource]] = defaultdict(dict)
        self._signed: dict[str, list[Resource]] = defaultdict(list)
        for resource in resources:
            self._add(resource)
        for resource in list(self._by_key.values()):
            self._link(resource)

    def _add(self, resource: Resource) -> None:
        if resource.key:
            self._by_key[resource.key] = resource
        if resource.full_url:
            self._by_url[resource.full_url] = resource
        for identifier in resource.identifiers:
            self._by_identifier[resource.type, identifier.name] = resource

    def _link(self, resource: Resource) -> None:
        if resource.type == "PractitionerRole":
            practitioner = resource.reference("practitioner")
            roles = self._roles[self.key(practitioner, resource)] if practitioner else {}
            if len(roles) < _MAX_ROLES:
                roles[resource.key] = resource
        elif resource.type == "Provenance":
            for target in resource.references("target"):
                self._signed[self.key(target, resource)].append(resource)

    def find(self, reference: Reference, within: Resource) -> Resource | None:
        """What `within` refers to; None if it did not come along."""
        if reference.local:
            return (within.container or within).contained.get(reference.local)
        found = self._by_url.get(reference.address) or self._by_key.get(reference.key)
        if found is None and reference.identifier:
            found = self._by_identifier.get((reference.type, reference.identifier.name))
        return found

    def type(self, reference: Reference, within: Resource) -> str:
        """Of what is referred to; empty if nobody says."""
        found = self.find(reference, within)
        return found.type if found else reference.type

    def key(self, reference: Reference, within: Resource, type_: str = "") -> str:
        """`Type/id` of what is referred to, else `Type/identifier`; empty if it cannot be told from others.

        Args:
            type_: of the resource, where the element allows no other.
        """
        found = self.find(reference, within)
        if found is not None:
            return found.key
        type_ = reference.type or type_
        if reference.key or not type_:
            return reference.key
        if reference.address.startswith("urn:uuid:"):
            return f"{type_}/{reference.address.removeprefix('urn:uuid:')}"
        return f"{type_}/{reference.identifier.name}" if reference.identifier else ""

    def roles_of(self, practitioner: str) -> tuple[Resource, ...]:
        """The PractitionerRoles that came along for a practitioner, by key."""
        return tuple(self._roles.get(practitioner, {}).values())

    def provenance_of(self, resource: Resource) -> tuple[Resource, ...]:
        """Who made this version of a resource, where Provenance came along."""
        own = [part for part in resource.contained.values() if part.type == "Provenance"]
        return tuple(
            islice(
                (record for record in (*own, *self._signed.get(resource.key, ())) if self._is_of(record, resource)),
                MAX_REPEATS,
            )
        )

    def _is_of(self, provenance: Resource, resource: Resource) -> bool:
        return any(
            self.key(target, provenance) == resource.key and target.version in ("", resource.version_id)
            for target in provenance.references("target")
        )
