"""PagerDuty v3 webhooks: who was called, who answered, where an incident went.

Source: https://developer.pagerduty.com/docs/webhooks-overview
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from streams.gateway.connectors.connector import Context, Delivery, Roles, Snapshots
from streams.gateway.connectors.ownership import OTHER_EVENT, Change, Telling, Verb
from streams.gateway.connectors.reading_json import JsonObject, read_object
from streams.gateway.edge.draft import Acting, Reading

_SAYS: dict[str, tuple[Verb, ...]] = {
    "incident.triggered": ("opened", "assigned"),
    "incident.acknowledged": ("assigned", "worked"),
    "incident.escalated": ("assigned",),
    "incident.delegated": ("assigned",),
    "incident.reassigned": ("assigned",),
    "incident.reopened": ("reopened", "assigned"),
    "incident.resolved": ("worked", "closed"),
    "incident.annotated": ("worked",),
    "incident.status_update_published": ("worked",),
}
_ABOUT_INCIDENT = frozenset({"incident.annotated", "incident.status_update_published"})
_REMEMBERED = {"incident.resolved": "closed_at", "incident.reopened": "reopened_at"}
_UNUSED = frozenset(
    {
        "incident.conference_bridge.updated",
        "incident.custom_field_values.updated",
        "incident.incident_type.changed",
        "incident.priority_updated",
        "incident.responder.added",
        "incident.responder.replied",
        "incident.role.assigned",
        "incident.service_updated",
        "incident.unacknowledged",
        "incident.workflow.completed",
        "incident.workflow.started",
        "pagey.ping",
        "service.created",
        "service.custom_field_values.updated",
        "service.deleted",
        "service.updated",
    }
)


class PagerDutyOptions(BaseModel):
    """Settings of a PagerDuty source.

    Attributes:
        owner: what names the owning role where the policy's maps know neither assignees, escalation policy nor teams.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Literal["escalation_policy", "team"] = "escalation_policy"


class PagerDuty:
    """Connector `pagerduty`."""

    name = "pagerduty"
    options_model: type[BaseModel] = PagerDutyOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts of one webhook, which always holds one event.

        Raises: InvalidEvent: as `read_object`; missing_field, invalid_value, bad_time.
        """
        event = read_object(delivery.body).child("event")
        event_type = event.text("event_type")
        if event_type in _SAYS:
            return _read(event, event_type, context)
        return Reading(unused=(event_type if event_type in _UNUSED else OTHER_EVENT,))


def _read(event: JsonObject, event_type: str, context: Context) -> Reading:
    data, agent = event.child("data"), _agent(event)
    incident = data.child("incident") if event_type in _ABOUT_INCIDENT else data
    change = Change(event.ident("id"), event.time("occurred_at"), incident.ident("id"), agent)
    owner = "" if event_type in _ABOUT_INCIDENT else _owner(data, event_type, context)
    acting = context.roles.of_actor(agent) if agent else ""
    telling = Telling(change)
    for verb in _SAYS[event_type]:
        if verb == "assigned":
            telling.say(verb, owner)
        elif verb == "worked":
            telling.say_worked(acting or owner)
        else:
            telling.say(verb, acting)
    if _is_after_the_end(change, event_type, context.snapshots):
        telling.say_still_closed()
    return telling.read()


def _is_after_the_end(change: Change, event_type: str, snapshots: Snapshots) -> bool:
    """Whether a note was written about an incident that was resolved by then: notes do not tell its status.

    Only the latest resolution and the latest reopening count, so that telling an earlier one again changes nothing.
    """
    at = change.time.isoformat(timespec="microseconds")
    told = snapshots.last(change.subject) or {}
    if event_type in _ABOUT_INCIDENT:
        closed_at = str(told.get("closed_at", ""))
        return str(told.get("reopened_at", "")) < closed_at <= at
    field = _REMEMBERED.get(event_type)
    if field and str(told.get(field, "")) < at:
        snapshots.keep(change.subject, {**told, field: at})
    return False


def _agent(event: JsonObject) -> Acting | None:
    """Who did it. PagerDuty tells users from services and integrations; only users are people."""
    agent = event.child_or("agent")
    name = agent.ident_or("id") if agent else ""
    if agent is None or not name:
        return None
    return Acting(name, "human" if _is_user(agent) else "system")


def _is_user(reference: JsonObject) -> bool:
    return reference.text_or("type") in ("user_reference", "user")


def _owner(incident: JsonObject, event_type: str, context: Context) -> str:
    """The role that has the incident now; empty if nobody can tell.

    A reassignment leaves the escalation policy as it was, so only the new assignees can tell whose it is then.
    """
    roles = context.roles
    assigned = _role_of_assignees(incident, roles)
    if assigned or event_type == "incident.reassigned":
        return assigned
    policy, teams = incident.child_or("escalation_policy"), incident.children("teams")
    mapped = (_mapped(policy, roles) if policy else "") or _only(_mapped(team, roles) for team in teams)
    if mapped:
        return mapped
    if PagerDutyOptions.model_validate(context.options).owner == "team":
        return _only(roles.named("group", team.text_or("summary")) for team in teams)
    return roles.named("group", policy.text_or("summary")) if policy else ""


def _role_of_assignees(incident: JsonObject, roles: Roles) -> str:
    """Their role by the map of actors, if it is one role for all of them that the map knows."""
    users = [Acting(user.ident_or("id"), "human") for user in incident.children("assignees") if _is_user(user)]
    return _only(roles.of_actor(user) for user in users)


def _mapped(reference: JsonObject, roles: Roles) -> str:
    """The role that the map of groups gives the id, or the name, of an escalation policy or team."""
    return roles.mapped("group", reference.ident_or("id")) or roles.mapped("group", reference.text_or("summary"))


def _only(roles: Iterable[str]) -> str:
    """The one role among them; empty if there is none, or more than one."""
    found = {role for role in roles if role}
    return found.pop() if len(found) == 1 else ""
