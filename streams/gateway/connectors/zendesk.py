"""Zendesk event webhooks about tickets: which group has one, who answered, what it waits for.

Source: https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
Webhooks of triggers and automations have whatever body their author wrote; those are read by `json_mapping`.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from streams.gateway.connectors.connector import Context, Delivery, Roles
from streams.gateway.connectors.ownership import OTHER_EVENT, PLACES, Change, Telling
from streams.gateway.connectors.reading_json import JsonObject, read_object
from streams.gateway.edge.draft import Acting, Draft, Reading

END_USER, OTHER_STATUS = "end_user", "other_status"

_PREFIX = "zen:event-type:"
_WAITING = {"PENDING": "pending", "HOLD": "on_hold", "ON-HOLD": "on_hold", "ON_HOLD": "on_hold"}
"""Statuses in which a ticket waits, and the reason that its pause is told with."""
_RUNNING = frozenset({"NEW", "OPEN"})
_SOLVED = frozenset({"SOLVED", "CLOSED"})
_ENDED = _SOLVED | {"DELETED", "ARCHIVED", "SCRUBBED"}
_KNOWN = _RUNNING | _ENDED | _WAITING.keys()
_NOBODY = frozenset({"0", "-1"})
"""`-1` is Zendesk itself (triggers, automations); `0` stands for nothing."""
_READ = frozenset(
    {
        "ticket.agent_assignment_changed",
        "ticket.comment_added",
        "ticket.created",
        "ticket.group_assignment_changed",
        "ticket.marked_as_spam",
        "ticket.soft_deleted",
        "ticket.status_changed",
        "ticket.undeleted",
    }
)
_UNUSED = frozenset(
    f"ticket.{name}"
    for name in (
        "attachment_linked_to_comment",
        "attachment_redacted_from_comment",
        "brand_changed",
        "comment_made_private",
        "comment_redacted",
        "custom_field_changed",
        "custom_status_changed",
        "description_changed",
        "email_ccs_changed",
        "external_id_changed",
        "followers_changed",
        "form_changed",
        "merged",
        "next_sla_breach_changed",
        "organization_changed",
        "permanently_deleted",
        "priority_changed",
        "problem_link_changed",
        "requester_changed",
        "schedule_changed",
        "sla_policy_changed",
        "subject_changed",
        "submitter_changed",
        "tags_changed",
        "task_due_at_changed",
        "type_changed",
    )
)


class ZendeskOptions(BaseModel):
    """Settings of a Zendesk source: none. Groups are told by id only: the policy's map of groups has to name them."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Zendesk:
    """Connector `zendesk`. Needs no snapshots: every event holds the ticket as it is then."""

    name = "zendesk"
    options_model: type[BaseModel] = ZendeskOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts of one event.

        Raises: InvalidEvent: as `read_object`; missing_field (also of `type`, which what triggers send does not have),
            invalid_value, bad_time.
        """
        payload = read_object(delivery.body)
        full = payload.text("type")
        if not full.startswith(_PREFIX):
            raise payload.invalid("type")
        event_type = full.removeprefix(_PREFIX)
        if event_type in _READ:
            return _read(payload, event_type, context.roles)
        return Reading(unused=(event_type if event_type in _UNUSED else OTHER_EVENT,))


class _Ticket(NamedTuple):
    """What an event tells about its ticket: ids, empty where there is none, and the role that has it."""

    requester: str
    assignee: str
    status: str
    owner: str
    roles: Roles

    def role_of(self, account: Acting | None) -> str:
        """The role in which somebody acts on the ticket. Whoever it is assigned to acts for the owner."""
        if account is None or account.kind == "system":
            return ""
        mapped = self.roles.of_actor(account)
        return mapped or (self.owner if account.name == self.assignee != self.requester else "")

    def is_end_user(self, account: Acting | None) -> bool:
        return account is not None and account.name == self.requester != self.assignee


def _read(payload: JsonObject, event_type: str, roles: Roles) -> Reading:
    detail, event = payload.child("detail"), payload.child_or("event") or JsonObject({}, "event")
    ticket = _ticket(detail, event, event_type, roles)
    by_comment = event_type == "ticket.comment_added"
    actor = _account(event, "comment.author.id") if by_comment else _account(detail, "actor_id")
    telling = Telling(Change(payload.ident("id"), payload.time("time"), detail.ident("id"), actor))
    if by_comment:
        return _read_comment(event, ticket, telling)
    acting = ticket.role_of(actor)
    if event_type == "ticket.created":
        telling.say("opened", acting)
        if _id(detail, "group_id") or ticket.assignee:
            telling.say("assigned", ticket.owner)
    elif event_type == "ticket.status_changed":
        _read_status(event, ticket, telling)
    elif event_type in ("ticket.marked_as_spam", "ticket.soft_deleted"):
        telling.say("closed", acting)
    elif event_type == "ticket.undeleted":
        telling.say("reopened", acting)
    else:
        telling.say("assigned", ticket.owner)
        if event_type == "ticket.agent_assignment_changed" and actor and actor.name == ticket.assignee:
            telling.say_worked(acting)
    if ticket.status in _ENDED:
        telling.say_still_closed()
    return telling.read()


def _ticket(detail: JsonObject, event: JsonObject, event_type: str, roles: Roles) -> _Ticket:
    # `detail` may already show what a later change of the same action made of the ticket: the event's own value counts.
    group = _id(event, "current") if event_type == "ticket.group_assignment_changed" else _id(detail, "group_id")
    by_agent = event_type == "ticket.agent_assignment_changed"
    assignee = _id(event, "current") if by_agent else _id(detail, "assignee_id")
    owner = roles.mapped("group", group) if group else ""
    if not owner and assignee and event_type != "ticket.group_assignment_changed":
        owner = roles.of_actor(Acting(assignee, "human"))
    return _Ticket(_id(detail, "requester_id"), assignee, detail.text_or("status").upper(), owner, roles)


def _read_status(event: JsonObject, ticket: _Ticket, telling: Telling) -> None:
    before, after = event.text_or("previous").upper(), event.text("current").upper()
    actor = telling.change.actor
    acting = ticket.role_of(actor)
    if after not in _KNOWN:
        telling.leave(OTHER_STATUS)
    elif after in _ENDED:
        if before in _ENDED:
            return
        if after in _SOLVED:
            if ticket.is_end_user(actor) and not acting:
                telling.leave(END_USER)
            else:
                telling.say_worked(acting)
        telling.say("closed", acting)
    else:
        if before in _ENDED:
            telling.say("reopened", acting)
        elif before in _WAITING:
            telling.say("resumed", acting)
        if after in _WAITING:
            telling.say("paused", acting, reason=_WAITING[after])


def _read_comment(event: JsonObject, ticket: _Ticket, telling: Telling) -> Reading:
    comment = event.child("comment")
    author = telling.change.actor
    acting = ticket.role_of(author)
    staff = comment.flag("author.is_staff", default=not ticket.is_end_user(author))
    if staff:
        telling.say_worked(acting)
        if ticket.status in _ENDED:
            telling.say_still_closed()
    to_role = ticket.roles.of_actor(Acting(ticket.requester, "human")) if staff and ticket.requester else ticket.owner
    if acting and to_role and comment.flag("is_public"):
        return telling.read(_message(comment, telling.change, acting, to_role))
    if not staff:
        telling.leave(END_USER)
    return telling.read()


def _message(comment: JsonObject, change: Change, role: str, to_role: str) -> Draft:
    return Draft(
        type="tieline.communication.sent.v1",
        id=f"{change.id}:sent",
        time=change.time,
        subject=change.subject,
        data={"message_id": comment.ident("id"), "role": role, "to_roles": [to_role]},
        actor=change.actor,
        sequence=PLACES - 1,
        text=comment.free_text("body"),
    )


def _account(holder: JsonObject, path: str) -> Acting | None:
    """Who did it. A user's account counts as a person's; settings say which accounts are programs."""
    name = holder.ident_or(path)
    return Acting(name, "system" if name in _NOBODY else "human") if name else None


def _id(holder: JsonObject, path: str) -> str:
    found = holder.ident_or(path)
    return "" if found in _NOBODY else found
