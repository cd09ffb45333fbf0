"""Comments: messages between the roles on an issue, and work by the role that has it."""

from __future__ import annotations

import re

from streams.gateway.connectors.jira.accounts import account
from streams.gateway.connectors.jira.issue import Issue
from streams.gateway.connectors.ownership import NO_ROLE, PLACES, Change, Telling
from streams.gateway.connectors.reading_json import MAX_FREE_TEXT_CHARS, JsonObject
from streams.gateway.edge.draft import Acting, Draft, Reading

NO_ADDRESSEE = "no_addressee"
_SENT = PLACES
_MAX_MENTIONS, _MAX_ROLES = 50, 32
_MENTION = re.compile(r"\[~(?:accountid:)?([^\]\s]{1,128})\]")
_CODE = re.compile(r"\{(code|noformat)(?::[^}\n]{0,200})?\}.*?(?:\{\1\}|\Z)", re.DOTALL)


def comment(payload: JsonObject, issue: Issue) -> Reading:
    """A new comment. It does not say which comment it answers."""
    told = payload.child("comment")
    author = told.child_or("author") or payload.child_or("user")
    role, message_id = issue.role_at_work(author), f"comment.{told.ident('id')}"
    change = Change(message_id, told.time("created"), issue.subject, account(author))
    if not role:
        return Reading(unused=(NO_ROLE,))
    text, names = _said(told)
    to_roles = _called(names, issue) or _others(told, issue, role)
    tells = Telling(change)
    if role == issue.owner and not issue.is_done:
        tells.say_worked(role)
    elif not to_roles:
        tells.leave(NO_ADDRESSEE)
    sent = Draft(
        type="tieline.communication.sent.v1",
        id=f"{message_id}:sent",
        time=change.time,
        subject=change.subject,
        data={"message_id": message_id, "role": role, "to_roles": list(to_roles)},
        actor=change.actor,
        sequence=_SENT,
        text=text,
    )
    return tells.read(*([sent] if to_roles else []))


def _others(told: JsonObject, issue: Issue, role: str) -> tuple[str, ...]:
    """Who reported the issue and who has it; an internal or restricted comment is not for who reported it."""
    internal = not told.flag("jsdPublic", True) or told.has("visibility")
    found = {issue.owner, *([] if internal else [issue.reporter_role])}
    return tuple(sorted(found - {"", role}))


def _called(names: tuple[str, ...], issue: Issue) -> tuple[str, ...]:
    """The roles of those whom a comment calls by `@`, by the map of actors alone."""
    found = {issue.roles.of_actor(Acting(name)) for name in names[:_MAX_MENTIONS]}
    return tuple(sorted(found - {""}))[:_MAX_ROLES]


def _said(told: JsonObject) -> tuple[str, tuple[str, ...]]:
    """The text and the accounts called in it, of wiki markup or of a document (ADF)."""
    if isinstance(told.value("body"), dict):
        texts: list[str] = []
        names: list[str] = []
        _walk(told.child("body"), texts, names)
        return "\n".join(texts)[:MAX_FREE_TEXT_CHARS], tuple(names)
    text = told.free_text("body")
    return text, tuple(match[1] for match in _MENTION.finditer(_CODE.sub("", text)))


def _walk(node: JsonObject, texts: list[str], names: list[str]) -> None:
    """In reading order; quotes and code are not what the author says. The parser has bounded depth and size."""
    kind = node.text_or("type")
    if kind == "mention":
        names.append(node.text_or("attrs.id"))
    elif kind == "text":
        texts.append(node.free_text("text"))
    elif kind not in ("blockquote", "codeBlock"):
        for child in node.children("content"):
            _walk(child, texts, names)
