"""CloudEvents as JSON before they are checked: from drafts, and from what integrators post."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, get_args

from pydantic_core import PydanticSerializationError, from_json, to_json

from schemas.errors import InvalidEvent
from schemas.vocabulary import ActorKind
from streams.gateway.actors import ActorKey
from streams.gateway.edge.draft import Acting, Draft
from streams.gateway.edge.marks import Marks

ACTOR_FIELD = "data.actor.id"
MAX_ACTOR_NAME = 1024
"""Characters; what is longer identifies nobody."""

_MAX_ID = 256
_MAX_CODE = 128
_KINDS = get_args(ActorKind)
_CODES = ("handoff_id", "follows", "message_id", "in_reply_to", "problem_id")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Json = dict[str, Any]


def cloud_event(draft: Draft, data: Mapping[str, object], source: str, process: str) -> bytes:
    """A draft as the JSON of a CloudEvent, still to be checked; `data` is complete, its actor hashed.

    Raises: InvalidEvent: something in it is no JSON.
    """
    event = {
        "specversion": "1.0",
        "id": short_id(draft.id, _MAX_ID),
        "source": source,
        "time": draft.time,
        "subject": short_id(draft.subject, _MAX_ID),
        "process": draft.process or process,
        "site": draft.site,
        "sequence": draft.sequence,
        "type": draft.type,
        "data": {**data, **{name: short_id(data[name], _MAX_CODE) for name in _CODES if name in data}},
    }
    try:
        return to_json(event)
    except (PydanticSerializationError, ValueError, RecursionError):
        raise InvalidEvent("invalid_value", "data") from None


def short_id(given: object, limit: int) -> object:
    """An id that is too long for the contract as `sha256:<64 hex>`, which is the same whenever it is told again.

    What is no id (no text, or with control characters) stays as it is: the contract refuses it.
    """
    if not isinstance(given, str) or len(given) <= limit or _CONTROL.search(given):
        return given
    try:
        return f"sha256:{sha256(given.encode()).hexdigest()}"
    except UnicodeEncodeError:
        return given


def hashed_actor(actor: Acting, key: ActorKey, marks: Marks) -> Json:
    """Who acted, as the contract has it.

    Raises: InvalidEvent: the name is none.
    """
    if not actor.name.strip() or len(actor.name) > MAX_ACTOR_NAME:
        raise InvalidEvent("invalid_value", ACTOR_FIELD)
    try:
        return {"id": key.hash_actor(actor.name), "kind": marks.kind(actor)}
    except ValueError:
        raise InvalidEvent("invalid_value", ACTOR_FIELD) from None


def with_hashed_actor(raw: bytes, key: ActorKey, marks: Marks) -> bytes:
    """A CloudEvent whose actor is named, with the hash of that name, and otherwise the same.

    It is read and written by the parser that the contract is decoded with, so both see the same JSON.

    Raises: InvalidEvent: there is no name where one should be.
    Cost: 15 µs.
    """
    try:
        event = from_json(raw)
        actor = event["data"]["actor"]
        kind = actor.get("kind", "unknown")
        name = actor["id"] if isinstance(actor["id"], str) else ""
        hashed = hashed_actor(Acting(name, kind if kind in _KINDS else "unknown"), key, marks)
        # A kind that is none stays, to be refused.
        event["data"]["actor"] = {**actor, **hashed, **({} if kind in _KINDS else {"kind": kind})}
        return to_json(event, inf_nan_mode="constants")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise InvalidEvent("invalid_value", ACTOR_FIELD) from None
