"""What happens to an issue or pull request itself: opened, assigned, labelled, closed, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from streams.gateway.connectors.github.webhook import Webhook
from streams.gateway.connectors.github.work_item import account
from streams.gateway.connectors.ownership import Change, Telling, Verb
from streams.gateway.edge.draft import Reading

DRAFT = "draft"
"""The reason of the pause that a draft of a pull request is."""


def telling(webhook: Webhook, at: datetime, *told_by: str) -> Telling:
    """For changes at `at`, whose id is made of what makes the change itself another one."""
    identity = ":".join((webhook.item.key, webhook.what, *told_by))
    return Telling(Change(identity, at, webhook.item.subject, webhook.sender))


def changed_at(webhook: Webhook) -> datetime:
    """Of most changes a webhook tells no time; the item's own was set by the change."""
    return webhook.item.json.time_or("updated_at") or webhook.item.json.time("created_at")


def stamp(at: datetime) -> str:
    return at.isoformat()


def _says(verb: Verb, **data: object) -> Callable[[Webhook], Reading]:
    """For a change that says one thing and no more, by whoever made it."""

    def read(webhook: Webhook) -> Reading:
        at = changed_at(webhook)
        tells = telling(webhook, at, stamp(at))
        tells.say(verb, webhook.item.role_at_work(webhook.sender), **data)
        return tells.read()

    return read


def _opened(webhook: Webhook) -> Reading:
    # What was moved here keeps the time at which it was opened elsewhere.
    moved = webhook.json.has("changes.old_issue")
    tells = telling(webhook, changed_at(webhook) if moved else webhook.item.json.time("created_at"))
    tells.say("opened", webhook.item.role_of(webhook.sender))
    if webhook.item.json.flag("draft"):
        tells.say("paused", reason=DRAFT)
    return tells.read()


def _closed(webhook: Webhook) -> Reading:
    at = webhook.item.json.time_or("closed_at") or changed_at(webhook)
    tells, role = telling(webhook, at, stamp(at)), webhook.item.role_at_work(webhook.sender)
    if role in webhook.item.owners:
        tells.say_worked(role)
    tells.say("closed", role)
    return tells.read()


def _assigned(webhook: Webhook) -> Reading:
    at, assignee = changed_at(webhook), account(webhook.json.child_or("assignee"))
    role = webhook.roles.of_actor(assignee) if assignee else ""
    # By the role, not by the account: an id is written down, and an account's number is a person's.
    tells = telling(webhook, at, stamp(at), role)
    if not role and assignee is not None and assignee == webhook.sender and len(webhook.item.owners) == 1:
        tells.say_worked(webhook.item.owners[0])  # took it for the role that has it
    else:
        tells.say("assigned", role)
    return _unless_closed(webhook, tells)


def _labeled(webhook: Webhook) -> Reading:
    at, label = changed_at(webhook), webhook.json.child("label")
    name = label.text_or("name")
    tells = telling(webhook, at, stamp(at), label.ident_or("id"))
    role, reason = webhook.roles.mapped("label", name), webhook.options.pause_reason(name)
    if not role and not reason:
        return Reading(unused=(webhook.what,))
    if role:
        tells.say("assigned", role)
    if reason:
        tells.say("paused", reason=reason)
    return _unless_closed(webhook, tells)


def _unlabeled(webhook: Webhook) -> Reading:
    at, label = changed_at(webhook), webhook.json.child("label")
    if not webhook.options.pause_reason(label.text_or("name")):
        return Reading(unused=(webhook.what,))
    tells = telling(webhook, at, stamp(at), label.ident_or("id"))
    tells.say("resumed", webhook.item.role_at_work(webhook.sender))
    return tells.read()


def _pushed(webhook: Webhook) -> Reading:
    tells = telling(webhook, changed_at(webhook), webhook.json.ident("after"))
    tells.say_worked(webhook.item.role_at_work(webhook.sender))
    return _unless_closed(webhook, tells)


def _unless_closed(webhook: Webhook, tells: Telling) -> Reading:
    if webhook.item.closed:
        tells.say_still_closed()
    return tells.read()


READERS: dict[str, Callable[[Webhook], Reading]] = {
    "opened": _opened,
    "closed": _closed,
    "deleted": _says("closed"),
    "transferred": _says("closed"),  # it is opened as another item where it went
    "reopened": _says("reopened"),
    "assigned": _assigned,
    "labeled": _labeled,
    "unlabeled": _unlabeled,
    "converted_to_draft": _says("paused", reason=DRAFT),
    "ready_for_review": _says("resumed"),
    "synchronize": _pushed,
}
"""By action, for issues and pull requests alike."""
