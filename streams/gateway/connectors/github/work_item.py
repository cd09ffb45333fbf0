"""The issue or pull request that a webhook is about, and the roles of the people on it."""

from __future__ import annotations

from functools import cached_property

from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.reading_json import JsonObject
from streams.gateway.edge.draft import Acting

_BOT_SUFFIX = "[bot]"
_UNRELATED = frozenset({"NONE", "MANNEQUIN"})


def account(user: JsonObject | None) -> Acting | None:
    """Who an account is, by its login, which settings and maps can name; None if it is gone.

    Raises: InvalidEvent: invalid_value.
    """
    login = user.text_or("login") if user else ""
    if user is None or not login:
        return None
    if login.endswith(_BOT_SUFFIX) or user.text_or("type") == "Bot":
        return Acting(login, "bot")
    return Acting(login, "human" if user.text_or("type") == "User" else "unknown")


class WorkItem:
    """An issue or pull request.

    Attributes:
        json: what the payload has under the key `issue` or `pull_request`.
        key: repository and number, for ids; stays when the repository is renamed.
        subject: what Tieline calls it: `org/repository#7`. The address of somebody's own repository has the name of a
            person in it, so that one goes by the repository's number.

    Raises: InvalidEvent: missing_field, invalid_value.
    """

    def __init__(self, payload: JsonObject, key: str, roles: Roles) -> None:
        self.json, self._roles = payload.child(key), roles
        repository, number = payload.child("repository"), self.json.integer("number")
        self.key = f"{repository.ident('id')}.{number}"
        owned = repository.text_or("owner.type") == "Organization"
        self.subject = f"{repository.text('full_name') if owned else repository.ident('id')}#{number}"

    @property
    def closed(self) -> bool:
        return self.json.text_or("state") == "closed"

    @cached_property
    def author(self) -> Acting | None:
        return account(self.json.child_or("user"))

    @cached_property
    def author_role(self) -> str:
        """The role of who opened it; empty if nothing tells it."""
        return self.role_of(self.author)

    @cached_property
    def owners(self) -> tuple[str, ...]:
        """The roles that have it now, by the policy's maps: of the assignees, and of the labels."""
        labels = [name for label in self.json.children("labels") if (name := label.text_or("name"))]
        found = [
            *(self._roles.of_actor(one) for one in self._assignees),
            *(self._roles.mapped("label", name) for name in labels),
        ]
        return tuple(dict.fromkeys(role for role in found if role))

    @cached_property
    def _assignees(self) -> tuple[Acting, ...]:
        found = self.json.children("assignees") or (self.json.child_or("assignee"),)
        return tuple(one for one in map(account, found) if one)

    def role_of(self, one: Acting | None, association: str = "") -> str:
        """By the map of actors, else by how the account belongs to the repository.

        Args:
            association: as the payload tells it of this account; of the author the item itself does.
        """
        if one is None:
            return ""
        mapped = self._roles.of_actor(one)
        association = association or (self.json.text_or("author_association") if one == self.author else "")
        if mapped or not association:
            return mapped
        # No relation to the repository is no role, unless the policy makes it one (`NONE: reporter`).
        look_up = self._roles.mapped if association in _UNRELATED else self._roles.named
        return look_up("association", association)

    def role_at_work(self, one: Acting | None, association: str = "") -> str:
        """As `role_of`; but an assignee whom no map knows works for the role whose label is on the item."""
        if one in self._assignees and one and not self._roles.of_actor(one) and len(self.owners) == 1:
            return self.owners[0]
        return self.role_of(one, association)
