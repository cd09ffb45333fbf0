"""What the readers of all kinds of resources share: the settings, who is who, and what was told before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.fhir.directory import Directory
from streams.gateway.connectors.fhir.elements import identifier_of
from streams.gateway.connectors.fhir.options import FhirOptions
from streams.gateway.connectors.fhir.parties import Parties
from streams.gateway.connectors.fhir.reference import PERSONS, Reference
from streams.gateway.connectors.fhir.resource import Resource
from streams.gateway.edge.draft import Draft


@dataclass(frozen=True, slots=True)
class Told:
    """What one resource said."""

    drafts: tuple[Draft, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """One delivery while it is read. Snapshots kept in it are seen by its own later resources.

    Attributes:
        subjects: work items of messages, where they were found already.
    """

    context: Context
    options: FhirOptions
    directory: Directory
    parties: Parties = field(init=False)
    subjects: dict[Resource, str] = field(default_factory=dict)
    _kept: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parties = Parties(self.directory, self.context.roles)

    def last(self, key: str) -> Mapping[str, object] | None:
        return self._kept.get(key) or self.context.snapshots.last(key)

    def keep(self, key: str, snapshot: Mapping[str, object]) -> None:
        self._kept[key] = snapshot
        self.context.snapshots.keep(key, snapshot)

    def thing(self, reference: Reference | None, within: Resource, type_: str = "") -> str:
        """`Type/id` of something that may be a work item; empty if it may be a person, or nobody says what it is."""
        if reference is None:
            return ""
        key = self.directory.key(reference, within, type_)
        return "" if not key or key.partition("/")[0] in PERSONS else key

    def first_thing(self, resource: Resource, *paths: str) -> str:
        """`thing` of the first of these elements that has one."""
        found = (
            self.thing(each, resource, _ONLY.get(path, "")) for path in paths for each in resource.references(path)
        )
        return next(filter(None, found), "")

    def group(self, resource: Resource) -> str:
        """What a `groupIdentifier` holds together, as a work item; empty if it has none."""
        found = (identifier_of(part) for part in resource.parts("groupIdentifier"))
        return next((f"group/{identifier.name}" for identifier in found if identifier), "")


_ONLY = {"encounter": "Encounter"}
"""Elements that allow one type of resource only."""
