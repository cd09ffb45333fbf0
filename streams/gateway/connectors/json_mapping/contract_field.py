"""What the contract takes in each field of an event's data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from schemas.events import EVENT_TYPES
from streams.gateway.log_import.mapping_file import suggestion

FieldKind = Literal["role", "roles", "time", "flag", "number", "id", "text", "other"]

_KINDS: dict[str, FieldKind] = {
    **dict.fromkeys(("role", "from_role", "to_role", "reported_by", "owner_role", "rater_role", "rated_role"), "role"),
    "to_roles": "roles",
    **dict.fromkeys(("due_at", "needed_at", "reply_due_at", "respond_by"), "time"),
    **dict.fromkeys(("expects_reply", "matches"), "flag"),
    **dict.fromkeys(("mean", "n", "expected_loss"), "number"),
    # The edge makes long ones short.
    **dict.fromkeys(("handoff_id", "follows", "message_id", "in_reply_to", "problem_id"), "id"),
    # Objects and lists of them: no expression makes one.
    **dict.fromkeys(("actor", "elements", "ties"), "other"),
}


class ContractField:
    """One field.

    Attributes:
        kind: how what an expression found is read.
        required: whether the event is nothing without it.
        words: all that the contract takes, where that is a closed list.
    """

    def __init__(self, name: str, info: FieldInfo) -> None:
        self.kind: FieldKind = _KINDS.get(name, "text")
        self.required = info.is_required()
        self.words = _words(info.annotation)
        annotated: Any = Annotated[info.annotation, info]
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotated)

    @property
    def mappable(self) -> bool:
        """Whether a mapping can fill it."""
        return self.kind != "other"

    @property
    def is_role(self) -> bool:
        """One role or several."""
        return self.kind in ("role", "roles")

    def takes(self, value: object) -> bool:
        """Whether the contract takes this JSON value. Cost: 3 µs."""
        given = [value] if self.kind == "roles" and isinstance(value, str) else value
        try:
            self._adapter.validate_json(json.dumps(given))
        except (ValidationError, ValueError):
            return False
        return True

    def hint(self, word: object) -> str:
        """What it could have been, for an error about a word that it does not take."""
        return f": expected one of {', '.join(self.words)}{suggestion(word, list(self.words))}" if self.words else ""


@lru_cache(maxsize=64)
def contract_fields(event_type: str) -> Mapping[str, ContractField]:
    """The fields of an event's data by name."""
    data = EVENT_TYPES[event_type].model_fields["data"].annotation
    fields: dict[str, FieldInfo] = getattr(data, "model_fields", {})
    return MappingProxyType({name: ContractField(name, info) for name, info in fields.items()})


def _words(annotation: Any) -> tuple[str, ...]:
    found = [annotation, *get_args(annotation)]
    return tuple(word for part in found if getattr(part, "__origin__", None) is Literal for word in get_args(part))
