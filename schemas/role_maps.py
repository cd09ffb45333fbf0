"""Role maps: which role stands behind what a source knows about who acts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from schemas.vocabulary import ACTOR_ID_PATTERN, RoleKind, RoleName

MAX_NAME = 512
"""Names are compared by so many characters; a longer one is no name."""

_IS_HASH = re.compile(ACTOR_ID_PATTERN)


def folded_name(name: str) -> str:
    """The form in which names are compared: NFC, lower case, one space where there are several, none around.

    `4 West`, ` 4  WEST` and `4 west` are one name; `4-West` is another.
    """
    return " ".join(unicodedata.normalize("NFC", name[:MAX_NAME]).casefold().split())


def _folded(names: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, role in names.items():
        key = folded_name(name)
        if not key:
            raise ValueError("a name is empty")
        if found.setdefault(key, role) != role:
            raise ValueError(f"{name!r} and another spelling of it have two roles, {found[key]!r} and {role!r}")
    return found


def _only_hashes(given: object) -> object:
    # Before the items are looked at: an error about one item would repeat its key, which may be somebody's name.
    if isinstance(given, Mapping) and not all(isinstance(key, str) and _IS_HASH.fullmatch(key) for key in given):
        raise ValueError(
            "expected hashes `<key-id>:<32 hex>`, made by `tieline keys hash`; never names of people, so what is there"
            " instead is not repeated"
        )
    return given


Names = Annotated[dict[str, RoleName], Field(max_length=10_000), AfterValidator(_folded)]
Hashes = Annotated[dict[str, RoleName], Field(max_length=10_000), BeforeValidator(_only_hashes)]


class RoleMaps(BaseModel):
    """By kind: the name that a source uses → the role. Case and spaces of names do not count; the policy's aliases are
    applied to the result, as to every role.

    Attributes:
        group: teams, assignment groups, queues, escalation policies.
        practitioner_role: codes of what somebody does (FHIR `PractitionerRole.code`, HL7 provider roles).
        organization: organisations and departments.
        location: wards, units, beds, points of care.
        label: labels of tickets.
        association: how somebody belongs to a project (`MEMBER`, `CONTRIBUTOR`).
        actor: hashes of accounts `<key-id>:<32 hex>`; never names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Names = {}
    practitioner_role: Names = {}
    organization: Names = {}
    location: Names = {}
    label: Names = {}
    association: Names = {}
    actor: Hashes = {}

    def role(self, kind: RoleKind, name: str) -> str:
        """The role that the map gives this name; empty if it says nothing. Cost: 1 µs."""
        names: dict[str, str] = getattr(self, kind)
        return names.get(name if kind == "actor" else folded_name(name), "")
