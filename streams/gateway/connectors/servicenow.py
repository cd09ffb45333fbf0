"""ServiceNow: what a business rule posts about an incident, or another task, after each change of the record.

`{"operation": …, "current": {…}, "previous": {…}, "actor": {…}}`, or the record alone: docs/connectors/servicenow.md
has a ready rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from pydantic import BaseModel

from schemas.vocabulary import ActorKind
from streams.gateway.connectors.connector import Context, Delivery, Snapshots
from streams.gateway.connectors.ownership import NO_ROLE, Change, Telling
from streams.gateway.connectors.reading_json import JsonObject, read_object
from streams.gateway.connectors.servicenow_record import ENDED, MEANINGS, Look, Record, ServiceNowOptions
from streams.gateway.edge.draft import Acting, Reading

END_USER, OTHER_STATE = "end_user", "other_state"
_NOTES = ("work_notes", "comments")
_SYSTEM = "system"
_KINDS: Mapping[str, ActorKind] = {"human": "human", "bot": "bot", "system": "system"}

Operation = Literal["insert", "update", "delete"]


class ServiceNow:
    """Connector `servicenow`. Keeps a snapshot of a record only where the rule does not send the previous values."""

    name = "servicenow"
    options_model: type[BaseModel] = ServiceNowOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts of one change of one record.

        Raises: InvalidEvent: as `read_object`; missing_field (sys_id, sys_mod_count, sys_updated_on), invalid_value,
            bad_time.
        """
        payload = read_object(delivery.body)
        options = ServiceNowOptions.model_validate(context.options)
        return _tell(_update(payload, Record(payload.child_or("current") or payload, options), context))


@dataclass(frozen=True, slots=True)
class _Before:
    """What the record was before a change.

    Attributes:
        moved: its group was another one.
        reassigned: its assignee was.
    """

    look: Look
    moved: bool
    reassigned: bool = False


@dataclass(frozen=True, slots=True)
class _Update:
    """One change of a record.

    Attributes:
        before: None: there was no record, or nobody knows what it was.
        mapped: the actor's role by the map of actors.
        is_of_owner: whether the actor belongs to the group that owns the record now.
        is_outsider: whether the rule says that it does not.
        by_caller: whether the actor is who it is done for, and nobody else.
        took: whether the actor made itself the assignee.
        noted: whether the change added a note.
    """

    operation: Operation
    change: Change
    record: Record
    now: Look
    before: _Before | None
    mapped: str
    is_of_owner: bool
    is_outsider: bool
    by_caller: bool
    took: bool
    noted: bool

    @property
    def acting(self) -> str:
        """The role in which the actor acted, where it is known."""
        return self.mapped or (self.now.owner if self.is_of_owner else "")

    @property
    def moved(self) -> bool:
        return self.before is None or self.before.moved


def _tell(update: _Update) -> Reading:
    telling = Telling(update.change)
    if update.operation == "delete":
        telling.say("closed", update.acting)
        return telling.read()
    if update.operation == "insert":
        telling.say("opened", update.acting)
    _say_owner(update, telling)
    _say_worked(update, telling)
    _say_state(update, telling)
    if update.record.has_unknown_state(update.now):
        telling.leave(OTHER_STATE)
    return telling.read()


def _say_owner(update: _Update, telling: Telling) -> None:
    before = update.before
    if before is not None and not before.moved and not before.reassigned:
        return
    if update.record.value("assignment_group"):
        telling.say("assigned", update.now.owner)
    elif before is not None and before.moved:
        telling.leave(NO_ROLE)


def _say_worked(update: _Update, telling: Telling) -> None:
    """Work is: setting it in progress or resolved, taking it, writing a note.

    In progress and resolved are the owner's work by themselves, unless the rule says that the actor is none of the
    owner, or the same change brought it to that owner, or ended a pause, which what a caller writes does by itself. A
    note beside a move is rather the giver's.
    """
    if update.before is None and update.operation != "insert":
        return
    state, was = update.now.state, update.before.look.state if update.before else None
    entered = state in ("working", "resolved") and state != was and was not in ENDED
    resumed = was == "paused" and state == "working"
    if update.by_caller and (entered or update.noted):
        telling.leave(END_USER)
    elif entered and not (update.moved or resumed or update.is_outsider):
        telling.say_worked(update.mapped or update.now.owner)
    elif entered or update.took:
        telling.say_worked(update.acting)
    elif update.noted:
        telling.say_worked(update.mapped if update.moved else update.acting)


def _say_state(update: _Update, telling: Telling) -> None:
    now, was = update.now, update.before.look if update.before else Look(None, "", "")
    waits_anew = now.state == "paused" and (was.state, was.reason) != (now.state, now.reason)
    if was.state in ENDED and now.state is not None and now.state not in ENDED:
        telling.say("reopened", update.acting)
    if was.state == "paused" and (waits_anew or now.state in ("waiting", "working")):
        telling.say("resumed", update.acting)
    if waits_anew:
        telling.say("paused", update.acting, reason=now.reason)
    if now.state in ENDED:
        if was.state not in ENDED:
            telling.say("closed", update.acting)
        telling.say_still_closed()


def _update(payload: JsonObject, record: Record, context: Context) -> _Update:
    actor, count, now = _actor(payload, record), record.count(), record.look(context.roles)
    sys_id, operation = record.required("sys_id"), _operation(payload, count)
    previous = payload.child_or("previous") if "current" in payload.raw else None
    before = _before(previous, record, context)
    # A rule that sends what was before has nothing to send for a new record, and nothing has to be remembered for it.
    if before is None and not (operation == "insert" and "previous" in payload.raw):
        before = _remembered(context.snapshots, sys_id, count, now)
    if operation != "update":
        before = None
    # A deletion counts as no change of the record: it has the number of the one before.
    change_id = f"{sys_id}:{count}:delete" if operation == "delete" else f"{sys_id}:{count}"
    names, mapped = _names(payload, actor), context.roles.of_actor(actor) if actor else ""
    is_assignee = record.value("assigned_to") in names
    is_of_owner = is_assignee or payload.flag("actor.in_group")
    return _Update(
        operation=operation,
        change=Change(change_id, record.updated_at(), record.value("number") or sys_id, actor, step=count),
        record=record,
        now=now,
        before=before,
        mapped=mapped,
        is_of_owner=is_of_owner,
        is_outsider=payload.has("actor.in_group") and not is_of_owner,
        by_caller=record.value("caller_id") in names and not is_of_owner and not mapped,
        took=is_assignee and before is not None and before.reassigned,
        noted=any(_is_added(name, record.json, previous) for name in _NOTES),
    )


def _operation(payload: JsonObject, count: int) -> Operation:
    told = payload.text_or("operation").lower()
    if told not in ("", "insert", "update", "delete"):
        raise payload.invalid("operation")
    return cast(Operation, told or ("update" if count else "insert"))


def _actor(payload: JsonObject, record: Record) -> Acting | None:
    """By the user name that the record has in every payload. The rule may add what kind of account that is."""
    name, kind = record.value("sys_updated_by"), payload.text_or("actor.kind").lower()
    if not name:
        return None
    return Acting(name, "system" if name == _SYSTEM else _KINDS.get(kind, "unknown"))


def _names(payload: JsonObject, actor: Acting | None) -> set[str]:
    """The names by which an assignee or caller may be the actor: `sys_id`, if the rule tells it, and user name."""
    return {payload.ident_or("actor.value"), actor.name if actor else ""} - {""}


def _before(previous: JsonObject | None, record: Record, context: Context) -> _Before | None:
    """What the record was, by the payload; a rule may send changed fields only: what it does not send is as it was."""
    if previous is None or not previous.raw:
        return None
    was, group, assignee = record.over(previous), "assignment_group", "assigned_to"
    return _Before(
        was.look(context.roles),
        moved=was.value(group) != record.value(group),
        reassigned=was.value(assignee) != record.value(assignee),
    )


def _remembered(snapshots: Snapshots, sys_id: str, count: int, now: Look) -> _Before | None:
    """What the record was, by what was told last; this is remembered, unless it is older than that.

    With what was before, so that telling the same change again reads the same.
    """
    last = snapshots.last(sys_id) or {}
    told = last.get("count")
    if not isinstance(told, int) or count > told:
        was = _look(last, "")
        snapshots.keep(sys_id, {"count": count, **_kept(now, ""), **(_kept(was, "was_") if was else {})})
    else:
        was = _look(last, "was_") if count == told else None
    return _Before(was, moved=was.owner != now.owner) if was else None


def _kept(look: Look, prefix: str) -> dict[str, object]:
    return {f"{prefix}{name}": value for name, value in look._asdict().items()}


def _look(snapshot: Mapping[str, object], prefix: str) -> Look | None:
    if f"{prefix}owner" not in snapshot:
        return None
    state = snapshot.get(f"{prefix}state")
    known = next((meaning for meaning in MEANINGS if meaning == state), None)
    return Look(known, str(snapshot.get(f"{prefix}reason", "")), str(snapshot[f"{prefix}owner"]))


def _is_added(name: str, current: JsonObject, previous: JsonObject | None) -> bool:
    """Whether the change added a note: the rule says so by `true`, or a text is there that was not there before."""
    told = current.value(name)
    if isinstance(told, bool):
        return told
    text = _note(current, name)
    return bool(text) and not (previous and _note(previous, name) == text)


def _note(holder: JsonObject, name: str) -> str:
    told = holder.value(name)
    if isinstance(told, dict):
        return (holder.free_text(f"{name}.value") or holder.free_text(f"{name}.display_value")).strip()
    return "" if isinstance(told, bool) else holder.free_text(name).strip()
