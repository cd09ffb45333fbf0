"""The issue that a webhook is about: whose it is, and whether it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Literal, get_args

from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.jira.accounts import account, role_of
from streams.gateway.connectors.jira.memory import IssueRoles
from streams.gateway.connectors.jira.options import JiraOptions
from streams.gateway.connectors.reading_json import JsonObject

OwnedBy = Literal["team", "assignee", "component", "label", "project"]
PRECEDENCE: tuple[OwnedBy, ...] = get_args(OwnedBy)
"""What an issue's role is told by: the first of these that names one."""

# Marks of an account. A field that holds people is no team field, whatever the settings say.
_OF_PEOPLE = ("accountId", "emailAddress", "displayName")


class Issue:
    """An issue after what the webhook tells.

    Args:
        known: the roles that are remembered of an issue, by its id, for what the payload does not tell.

    Attributes:
        subject: its key, such as `OPS-7`.
        id: Jira's own number of it.
        is_full: whether the payload tells all of it; beside a comment, Cloud tells only a few fields.
        assignee: may be corrected by a changelog, before the owner is asked for.

    Raises: InvalidEvent: missing_field, invalid_value.
    """

    def __init__(
        self, json: JsonObject, roles: Roles, options: JiraOptions, known: Callable[[str], IssueRoles] | None = None
    ) -> None:
        self.subject, self.id = json.text("key"), json.ident_or("id") or json.text("key")
        self.fields = json.child_or("fields") or JsonObject({})
        self.roles, self.options = roles, options
        self.is_full = self.fields.has("created")
        self._known = known(self.id) if known and not self.is_full else IssueRoles()
        self.assignee = account(self.fields.child_or("assignee"))

    @cached_property
    def reporter_role(self) -> str:
        """The role of who reported it, else of who created it."""
        told = role_of(self.fields.child_or("reporter") or self.fields.child_or("creator"), self.roles)
        return told or self._known.reporter

    @cached_property
    def owner(self) -> str:
        """The role that has it; empty if nothing tells it."""
        return self._known.owner or self._owned[1]

    @property
    def owned_by(self) -> OwnedBy | None:
        """What told the owner."""
        return self._owned[0]

    @property
    def status(self) -> str:
        return self.fields.text_or("status.name")

    @property
    def is_done(self) -> bool:
        return self.is_done_as(self.status)

    def category_of(self, status: str) -> str:
        """`new`, `indeterminate` or `done`; empty where Jira does not tell, which it does of the present status."""
        return self.fields.text_or("status.statusCategory.key") if status == self.status else ""

    def is_done_as(self, status: str) -> bool:
        """Whether that status ends the work: by its category, else by the settings."""
        category = self.category_of(status)
        return category == "done" if category else self.options.is_done(status)

    def role_at_work(self, user: JsonObject | None) -> str:
        """The role of who acts; an assignee whom no map knows works for the role that has the issue."""
        acting = account(user)
        mine = acting is not None and self.assignee is not None and acting.name == self.assignee.name
        return role_of(user, self.roles) or (self.owner if mine else "")

    @cached_property
    def _owned(self) -> tuple[OwnedBy | None, str]:
        for kind in PRECEDENCE:
            role = self._role_by(kind)
            if role:
                return kind, role
        return None, ""

    def _role_by(self, kind: OwnedBy) -> str:
        if kind == "team":
            return self.roles.named("group", team_name(self.fields, self.options.team_field))
        if kind == "assignee":
            return self.roles.of_actor(self.assignee) if self.assignee else ""
        if kind == "component":
            names = (part.text_or("name") for part in self.fields.children("components"))
            return _first(self.roles.mapped("group", name) for name in names if name)
        if kind == "label":
            return _first(self.roles.mapped("label", name) for name in self.fields.texts("labels"))
        project = self.fields.text_or("project.key")
        return self.roles.mapped("group", project) if project else ""


def team_name(fields: JsonObject, field: str) -> str:
    """What a team field holds: an option, a group, a team, or a text; of several the first. Empty for people."""
    found = fields.value(field) if field else None
    if isinstance(found, list):
        found = found[0] if found else None
    if isinstance(found, str):
        return JsonObject({field: found}).text_or(field)
    if not isinstance(found, dict):
        return ""
    value = JsonObject(found, fields.field(field))
    if any(value.has(key) for key in _OF_PEOPLE):
        return ""
    return value.text_or("value") or value.text_or("name") or value.text_or("title")


def _first(roles: Iterable[str]) -> str:
    return next((role for role in roles if role), "")
