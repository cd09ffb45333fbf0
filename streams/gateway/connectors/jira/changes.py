"""What happens to an issue: created, changed as its changelog says, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from streams.gateway.connectors.jira.accounts import account
from streams.gateway.connectors.jira.issue import PRECEDENCE, Issue, OwnedBy
from streams.gateway.connectors.ownership import NO_ROLE, Change, Telling
from streams.gateway.connectors.reading_json import JsonObject
from streams.gateway.edge.draft import Acting, Reading

_WORK_FIELDS = frozenset({"description", "environment", "attachment", "timespent", "worklogid"})

WITHIN_ROLE = "assigned_within_role"
_ENDS = ("fromString", "toString")
_MAX_LABELS = 200


def told_at(payload: JsonObject) -> datetime:
    """When the webhook says that it happened, else when the issue was last changed.

    Raises: InvalidEvent: bad_time, missing_field.
    """
    told = payload.epoch_ms_or("timestamp") or payload.time_or("issue.fields.updated")
    return told or payload.epoch_ms("timestamp")


def created(payload: JsonObject, issue: Issue) -> Reading:
    at = issue.fields.time_or("created") or told_at(payload)
    user = payload.child_or("user")
    tells = Telling(Change(f"issue.{issue.id}:created", at, issue.subject, account(user)))
    tells.say("opened", issue.role_at_work(user))
    if issue.owner:
        tells.say("assigned", issue.owner)
    _say_status(tells, issue)
    return tells.read()


def deleted(payload: JsonObject, issue: Issue) -> Reading:
    user = payload.child_or("user")
    tells = Telling(Change(f"issue.{issue.id}:deleted", told_at(payload), issue.subject, account(user)))
    tells.say("closed", issue.role_at_work(user))
    return tells.read()


def updated(payload: JsonObject, issue: Issue) -> Reading:
    """What the changelog says. Without one (an older Data Center, a comment) there is nothing to say here."""
    at, user = told_at(payload), payload.child_or("user")
    changelog = Changelog(payload)
    issue.assignee = changelog.assignee_of(issue)
    change = Change(
        changelog.id or f"issue.{issue.id}:{payload.ident_or('timestamp')}", at, issue.subject, account(user)
    )
    tells = Telling(change)
    role = issue.role_at_work(user)
    _say_owner(tells, issue, changelog, change.actor)
    _say_change_of_status(tells, issue, changelog, role)
    if changelog.touches(_WORK_FIELDS | {name.casefold() for name in issue.options.work_fields}):
        if role and role == issue.owner:
            tells.say_worked(role)
        elif not role:
            tells.leave(NO_ROLE)
    if issue.is_done:
        tells.say_still_closed()
    return _with_move(tells, changelog, change, issue)


class Changelog:
    """The items of a changelog, each a field that was changed.

    Attributes:
        id: for ids of events; empty if Jira tells none.
    """

    def __init__(self, payload: JsonObject) -> None:
        number = payload.ident_or("changelog.id")
        self.id = f"change.{number}" if number else ""
        self._items = payload.children("changelog.items")

    def of(self, *names: str) -> Iterator[JsonObject]:
        """The items of fields, by id or by name, which is all that Data Center tells."""
        wanted = {name.casefold() for name in names if name}
        return (item for item in self._items if wanted & _names(item))

    def touches(self, names: frozenset[str]) -> bool:
        return any(names & _names(item) for item in self._items)

    def assignee_of(self, issue: Issue) -> Acting | None:
        """Of the issue after this change: what the issue says, unless the change says otherwise."""
        item = next(self.of("assignee"), None)
        if item is None:
            return issue.assignee
        name = item.text_or("tmpToAccountId") or item.text_or("to")
        return (issue.assignee or Acting(name)) if name else None


def _names(item: JsonObject) -> set[str]:
    return {item.text_or("fieldId").casefold(), item.text_or("field").casefold()} - {""}


def _say_owner(tells: Telling, issue: Issue, changelog: Changelog, actor: Acting | None) -> None:
    """A new owner, if what tells the owner was changed, or something that would rather tell it."""
    touched = {kind for kind in PRECEDENCE if _touches(kind, issue, changelog)}
    deciding = PRECEDENCE.index(issue.owned_by) if issue.owned_by else len(PRECEDENCE)
    anew = any(PRECEDENCE.index(kind) <= deciding for kind in touched)
    if anew:
        tells.say("assigned", issue.owner)
    if not any(changelog.of("assignee")):
        return
    took = actor is not None and issue.assignee is not None and actor.name == issue.assignee.name
    if took and issue.owner and issue.owned_by != "assignee":
        tells.say_worked(issue.owner)  # took it for the role that has it
    elif not anew:
        tells.leave(WITHIN_ROLE if issue.owner else NO_ROLE)


def _touches(kind: OwnedBy, issue: Issue, changelog: Changelog) -> bool:
    """Whether a change concerns a role: of people, components and labels most are none."""
    roles = issue.roles
    if kind == "team":
        return any(changelog.of(issue.options.team_field, issue.options.team_field_name))
    if kind == "assignee":
        ends = (end for item in changelog.of("assignee") for end in _assignees(item))
        return any(roles.of_actor(Acting(name)) for name in ends)
    if kind == "component":
        # One item for each component that is added or removed.
        names = (item.text_or(key) for item in changelog.of("component", "components") for key in _ENDS)
        return any(roles.mapped("group", name) for name in names if name)
    if kind == "label":
        # All labels in one text, before and after.
        texts = (item.free_text(key) for item in changelog.of("labels") for key in _ENDS)
        return any(roles.mapped("label", name) for text in texts for name in text.split()[:_MAX_LABELS])
    return any(changelog.of("project"))


def _assignees(item: JsonObject) -> tuple[str, ...]:
    keys = ("tmpFromAccountId", "tmpToAccountId", "from", "to")
    return tuple(name for key in keys if (name := item.text_or(key)))


def _say_change_of_status(tells: Telling, issue: Issue, changelog: Changelog, role: str) -> None:
    item = next(changelog.of("status"), None)
    if item is None:
        return
    before, now = item.text_or("fromString"), item.text_or("toString")
    cleared = [one for one in changelog.of("resolution") if one.has("from") and not one.has("to")]
    was_done = issue.options.is_done(before) or bool(cleared)
    if issue.is_done_as(now):
        if not was_done:
            _say_work(tells, issue, role)
            tells.say("closed", role)
        return
    if was_done:
        tells.say("reopened", role)
    reason = issue.options.pause_reason(now)
    if reason:
        tells.say("paused", role, reason=reason)
        return
    if issue.options.pause_reason(before):
        tells.say("resumed", role)
    if issue.category_of(now) == "indeterminate":
        _say_work(tells, issue, role)


def _say_work(tells: Telling, issue: Issue, role: str) -> None:
    """Moving an issue on is work, if it is the owning role that does."""
    if role and role == issue.owner:
        tells.say_worked(role)
    elif not role:
        tells.leave(NO_ROLE)


def _say_status(tells: Telling, issue: Issue) -> None:
    reason = issue.options.pause_reason(issue.status)
    if issue.is_done:
        tells.say("closed")
    elif reason:
        tells.say("paused", reason=reason)


def _with_move(tells: Telling, changelog: Changelog, change: Change, issue: Issue) -> Reading:
    """An issue that is moved to another project gets another key, and so is another work item from then on."""
    item = next(changelog.of("key"), None)
    before = item.text_or("fromString") if item else ""
    if not before or before == issue.subject:
        return tells.read()
    tells.say("opened")
    if issue.owner:
        tells.say("assigned", issue.owner)
    there = tells.read()
    left = Telling(Change(f"{change.id}:left", change.time, before, change.actor))
    left.say("closed")
    return Reading((*left.read().drafts, *there.drafts), there.unused)
