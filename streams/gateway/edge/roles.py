"""From what a source knows about who acts to roles, by the maps of the policy in force."""

from __future__ import annotations

import unicodedata

from schemas.role_maps import RoleMaps
from schemas.vocabulary import RoleKind
from streams.gateway.edge.draft import Acting
from streams.gateway.edge.keyring import Keys

NAMED: frozenset[RoleKind] = frozenset({"group", "practitioner_role", "organization", "location", "association"})
"""What may be a role under its own name. Never an actor, who is a person, nor a label, which is free text."""


class PolicyRoles:
    """`streams.gateway.connectors.connector.Roles`, for one delivery."""

    def __init__(self, maps: RoleMaps, keys: Keys) -> None:
        self._maps, self._keys = maps, keys

    def mapped(self, kind: RoleKind, name: str) -> str:
        """The role that the policy's map gives this name (of an actor: this hash); empty if it says nothing."""
        return self._maps.role(kind, name)

    def named(self, kind: RoleKind, name: str) -> str:
        """As `mapped`, else the name itself with single spaces; of a label or an actor only what is mapped."""
        role = self.mapped(kind, name)
        if role or kind not in NAMED:
            return role
        return " ".join(unicodedata.normalize("NFC", name).split())

    def of_actor(self, actor: Acting) -> str:
        """The role of a person, by the map of hashes; those made by an earlier key of this site still hold."""
        if not actor.name or not self._maps.actor:
            return ""
        try:
            hashes = [key.hash_actor(actor.name) for key in self._keys.own]
        except ValueError:  # no text, so nobody's name
            return ""
        return next((role for hashed in hashes if (role := self.mapped("actor", hashed))), "")
