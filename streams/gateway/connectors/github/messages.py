"""Comments: messages between the roles on an item, and work by those who have it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from streams.gateway.connectors.github.changes import telling
from streams.gateway.connectors.github.webhook import Webhook
from streams.gateway.connectors.github.work_item import account
from streams.gateway.connectors.ownership import NO_ROLE, PLACES
from streams.gateway.connectors.reading_json import JsonObject
from streams.gateway.edge.draft import Acting, Draft, Reading

NO_ADDRESSEE = "no_addressee"
SENT = PLACES + 3
"""Behind what the same act says about the item and about a review that was asked for."""
_MAX_ROLES = 32
_MAX_MENTIONS = 50
# An account or `organisation/team`; not the rest of an address or of a path.
_MENTION = re.compile(r"(?<![\w.@/`-])@([A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?)(?:/([A-Za-z0-9][\w.-]{0,99}))?")
_FENCED = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE)


class Message(NamedTuple):
    """Something that somebody wrote.

    Attributes:
        id: of the message; also of the event.
        role: of who wrote it.
        to: whom it is for where it mentions nobody.
    """

    id: str
    at: datetime
    sender: Acting | None
    role: str
    to: tuple[str, ...]
    text: str
    in_reply_to: str = ""


def comment(webhook: Webhook) -> Reading:
    """A comment on an issue, or on a pull request as a whole. It does not say which comment it answers."""
    return _read(webhook, webhook.json.child("comment"), "issue_comment")


def review_comment(webhook: Webhook) -> Reading:
    """A comment on a line of a pull request; within a thread it answers the thread's first."""
    return _read(webhook, webhook.json.child("comment"), "review_comment")


def _read(webhook: Webhook, told: JsonObject, kind: str) -> Reading:
    item, sender = webhook.item, account(told.child_or("user"))
    thread = told.ident_or("in_reply_to_id")
    role = item.role_at_work(sender, told.text_or("author_association"))
    message = Message(
        id=f"{kind}.{told.ident('id')}",
        at=told.time("created_at"),
        sender=sender,
        role=role,
        to=_others(webhook, sender, role),
        text=told.free_text("body"),
        in_reply_to=f"{kind}.{thread}" if thread else "",
    )
    return told_and_done(webhook, message)


def told_and_done(webhook: Webhook, message: Message, *before: Draft) -> Reading:
    """The message, and that its sender worked, if the sender's role has the item."""
    sent = draft(webhook, message)
    if not message.role:
        return Reading(before, (NO_ROLE,))
    tells = telling(webhook, message.at, message.id)
    if message.role in webhook.item.owners and not webhook.item.closed:
        tells.say_worked(message.role)
    elif sent is None:
        tells.leave(NO_ADDRESSEE)
    return tells.read(*before, *([sent] if sent else []))


def draft(webhook: Webhook, message: Message) -> Draft | None:
    """None if it is not known from whom or to whom."""
    to_roles = mentioned(webhook, message.text) or message.to
    if not message.role or not to_roles:
        return None
    data: dict[str, object] = {
        "message_id": message.id,
        "role": message.role,
        "to_roles": list(to_roles),
        "in_reply_to": message.in_reply_to or None,
    }
    return Draft(
        type="tieline.communication.sent.v1",
        id=f"{webhook.item.key}:{message.id}:sent",
        time=message.at,
        subject=webhook.item.subject,
        data=data,
        actor=message.sender,
        sequence=SENT,
        text=message.text,
    )


def _others(webhook: Webhook, sender: Acting | None, role: str) -> tuple[str, ...]:
    """The other roles on the item: who opened it, who has it, who was asked to review it."""
    item = webhook.item
    opener = "" if sender == item.author else item.author_role
    found = {opener, *item.owners, *webhook.requests().roles} - {"", role}
    return tuple(sorted(found))[:_MAX_ROLES]


def mentioned(webhook: Webhook, text: str) -> tuple[str, ...]:
    """The roles of teams and accounts that a text calls, by the policy's maps alone: `@types/node` is no team.

    As GitHub does it: not in what is quoted, and not in code.
    """
    lines = (line for line in _FENCED.sub("", text).splitlines() if not line.lstrip().startswith(">"))
    found: set[str] = set()
    for count, match in enumerate(_MENTION.finditer("\n".join(lines))):
        if count == _MAX_MENTIONS:
            break
        login, team = match.groups()
        roles = webhook.roles
        found.add(roles.mapped("group", team) if team else roles.of_actor(Acting(login)))
    return tuple(sorted(found - {""}))[:_MAX_ROLES]
