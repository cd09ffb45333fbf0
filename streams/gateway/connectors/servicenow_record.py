"""A ServiceNow record as it is posted: fields by value or by name, states by what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from schemas.vocabulary import Code
from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.reading_json import JsonObject

Meaning = Literal["waiting", "working", "paused", "resolved", "closed"]
"""`waiting`: owned, not necessarily picked up. `resolved`: over, by the owner's work; `closed`: over."""
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
ENDED: frozenset[Meaning | None] = frozenset({"resolved", "closed"})

_STATES: Mapping[str, Meaning] = {
    "1": "waiting",
    "2": "working",
    "3": "paused",
    "6": "resolved",
    "7": "closed",
    "8": "closed",
    "new": "waiting",
    "in progress": "working",
    "on hold": "paused",
    "resolved": "resolved",
    "closed": "closed",
    "canceled": "closed",
    "cancelled": "closed",
}
_HOLD_REASONS: Mapping[str, str] = {
    "1": "awaiting_caller",
    "3": "awaiting_problem",
    "4": "awaiting_vendor",
    "5": "awaiting_change",
    "awaiting caller": "awaiting_caller",
    "awaiting problem": "awaiting_problem",
    "awaiting vendor": "awaiting_vendor",
    "awaiting change": "awaiting_change",
}
_ON_HOLD = "on_hold"
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_NOTHING = frozenset({"null", "undefined"})
"""What scripts make of an empty field when they turn it into text."""
_MAX_COUNT = 2**40
_M = TypeVar("_M", bound=str)


class ServiceNowOptions(BaseModel):
    """Settings of a ServiceNow source, for tables whose choices are not those of incidents.

    Attributes:
        states: value or name of a state → what it means; beside and before the states of incidents.
        hold_reasons: value or name of a hold reason → the reason of the pause; likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    states: dict[str, Meaning] = {}
    hold_reasons: dict[str, Code] = {}


class Look(NamedTuple):
    """A record at one time, as far as it matters.

    Attributes:
        state: None: not told, or a state that nobody gave a meaning.
        reason: of the pause, while it is paused.
        owner: the role of the assignment group; empty if it is not known or there is none.
    """

    state: Meaning | None
    reason: str
    owner: str


class Record:
    """The fields of one record that matter.

    A field is a value, `{display_value, value, link}`, or nothing (absent, null, blank, the text `null`).
    """

    def __init__(self, json: JsonObject, options: ServiceNowOptions) -> None:
        self.json, self._options = json, options

    def value(self, name: str) -> str:
        """The value of a field, else the name that is displayed for it; empty if there is nothing."""
        return self._part(name, "value") or self._part(name, "display_value")

    def required(self, name: str) -> str:
        """Raises: InvalidEvent: missing_field."""
        found = self.value(name)
        if not found:
            raise self.json.invalid(name, "missing_field")
        return found

    def count(self) -> int:
        """`sys_mod_count`: how often the record was changed. Raises: InvalidEvent: missing_field, invalid_value."""
        digits = self.required("sys_mod_count").replace(",", "")  # shown with separators where it is shown at all
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 12 or int(digits) >= _MAX_COUNT:
            raise self.json.invalid("sys_mod_count")
        return int(digits)

    def updated_at(self) -> datetime:
        """`sys_updated_on`, which ServiceNow keeps in UTC. Raises: InvalidEvent: missing_field, bad_time."""
        holder = self._holder("sys_updated_on")
        return holder.time("value", naive=UTC) if holder else self.json.time("sys_updated_on", naive=UTC)

    def look(self, roles: Roles) -> Look:
        state = self._meaning("state", _STATES, self._options.states)
        reason = self._meaning("hold_reason", _HOLD_REASONS, self._options.hold_reasons) if state == "paused" else None
        return Look(state, (reason or _ON_HOLD) if state == "paused" else "", self._owner(roles))

    def has_unknown_state(self, look: Look) -> bool:
        return look.state is None and bool(self.value("state"))

    def over(self, changed: JsonObject) -> Record:
        """This record with the fields that another one has: what that does not have is as it is here."""
        return Record(JsonObject({**self.json.raw, **changed.raw}, "previous"), self._options)

    def _owner(self, roles: Roles) -> str:
        """The role of the group: mapped by `sys_id` or name, else the name; a bare `sys_id` is no name of a role."""
        told = [self._part("assignment_group", "value"), self._part("assignment_group", "display_value")]
        mapped = next((role for name in told if name and (role := roles.mapped("group", name))), "")
        names = [name for name in told if name and not _SYS_ID.fullmatch(name)]
        return mapped or (roles.named("group", names[-1]) if names else "")

    def _meaning(self, name: str, known: Mapping[str, _M], options: Mapping[str, _M]) -> _M | None:
        told = [self._part(name, part).casefold() for part in ("value", "display_value")]
        chosen = {key.casefold(): meaning for key, meaning in options.items()}
        return next((among[key] for among in (chosen, known) for key in told if key and key in among), None)

    def _part(self, name: str, part: Literal["value", "display_value"]) -> str:
        holder = self._holder(name)
        if holder is None and part == "display_value":
            return ""
        found = holder.ident_or(part) if holder else self.json.ident_or(name)
        return "" if found in _NOTHING else found

    def _holder(self, name: str) -> JsonObject | None:
        return self.json.child_or(name) if isinstance(self.json.raw.get(name), dict) else None
