"""References: to what somebody else wrote down, by address or by identifier."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

PERSONS = frozenset({"Patient", "Person", "Practitioner", "PractitionerRole", "RelatedPerson", "Group"})
"""What may stand for somebody: such a reference never becomes a work item or an id of an event."""

_ADDRESS = re.compile(
    r"(?:https?://\S+/)?([A-Z][A-Za-z]{1,63})/([A-Za-z0-9._-]{1,128})(?:/_history/([A-Za-z0-9._-]+))?"
)
_TYPE = re.compile(r"(?:http://hl7\.org/fhir/StructureDefinition/)?([A-Z][A-Za-z]{1,63})")


class Identifier(NamedTuple):
    """What a business calls something; the system may be empty."""

    system: str
    value: str

    @property
    def name(self) -> str:
        return f"{self.system}|{self.value}" if self.system else self.value

    @property
    def names(self) -> tuple[str, ...]:
        """What maps may call it: `system|value`, then the value alone."""
        return (self.name, self.value) if self.system else (self.value,)


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something is, as far as the reference itself tells.

    Attributes:
        type: of the resource; empty if it cannot be told.
        key: `Type/id` without server and version; empty if it is addressed otherwise (`#id`, `urn:uuid:…`, identifier).
        address: as written.
        version: of the resource; empty for any.
        display: may be the name of a person: looked up, never told.
    """

    type: str
    key: str
    address: str
    version: str
    identifier: Identifier | None = field(default=None, repr=False)
    display: str = field(default="", repr=False)

    @property
    def local(self) -> str:
        """The id of a contained resource; empty if it is none."""
        return self.address[1:] if self.address.startswith("#") else ""


def reference_of(address: str, type_: str, identifier: Identifier | None, display: str) -> Reference | None:
    """The reference of these parts; None if all are empty."""
    if not (address or identifier or display):
        return None
    named = _TYPE.fullmatch(type_)
    found = _ADDRESS.fullmatch(address)
    if not found:
        return Reference(named[1] if named else "", "", address, "", identifier, display)
    return Reference(found[1], f"{found[1]}/{found[2]}", address, found[3] or "", identifier, display)
