"""Events of the contract as OCEL 2.0 has them, and back: events, the objects they are about, and how they relate.

Source: OCEL 2.0 specification (Berti et al., 2023), chapter JSON format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES

Json = dict[str, Any]

TIMELESS = "1970-01-01T00:00:00Z"
"""The time of an attribute that an object always had, as the specification writes it."""
_ENVELOPE = ("source", "id", "process", "subject", "site", "sequence")
_AS_TEXT = frozenset({"to_roles", "elements", "ties"})
"""Fields that are no plain value, as JSON in a text: OCEL knows plain attributes only."""
_ATTRIBUTE_TYPES = {
    **dict.fromkeys(("sequence", "n"), "integer"),
    **dict.fromkeys(("mean", "expected_loss"), "float"),
    **dict.fromkeys(("expects_reply", "matches"), "boolean"),
    **dict.fromkeys(("due_at", "needed_at", "reply_due_at", "respond_by"), "time"),
}
ACTOR, ACTOR_KIND = "actor", "actor_kind"

# Field of an event's data → what the role or thing it names is to the event.
_ROLES = {
    "role": "by",
    "from_role": "from",
    "to_role": "to",
    "to_roles": "to",
    "reported_by": "reported by",
    "owner_role": "owner",
    "rater_role": "rater",
    "rated_role": "rated",
}
_THINGS = {
    "handoff_id": ("handoff", "about"),
    "follows": ("handoff", "follows"),
    "message_id": ("message", "about"),
    "in_reply_to": ("message", "in reply to"),
    "problem_id": ("problem", "about"),
}
_SUBJECTS = {"intervention": "intervention", "survey": "survey"}
# Between objects: field that names the first → fields that name the second, with what it is to the first.
_BETWEEN = {
    "handoff_id": {"follows": "follows"},
    "message_id": {"in_reply_to": "in reply to", "problem_id": "about"},
}
OBJECT_TYPES: Mapping[str, tuple[str, ...]] = {
    "work_item": ("process", "name"),
    "intervention": ("process", "name"),
    "survey": ("process", "name"),
    "role": ("process", "name"),
    "handoff": ("process", "name"),
    "message": ("process", "name"),
    "problem": ("process", "name"),
    "actor": (),
}


class Thing(NamedTuple):
    """An object: its type, and what tells it from others of its type, the process first."""

    type: str
    parts: tuple[str, ...]

    @property
    def id(self) -> str:
        """Different things have different ids, whatever their names hold."""
        return object_id(self.type, self.parts)


def object_id(kind: str, parts: Iterable[str]) -> str:
    """`kind:part/part`, with `/` and `%` inside a part written as `%2F` and `%25`."""
    return f"{kind}:{'/'.join(part.replace('%', '%25').replace('/', '%2F') for part in parts)}"


def event_types() -> list[Json]:
    """What the file says of its event types: all of the contract, so that the file can be written in one go."""
    return [{"name": name, "attributes": [_declared(field) for field in _fields(name)]} for name in sorted(EVENT_TYPES)]


def object_types(with_actors: bool) -> list[Json]:
    """What the file says of its object types."""
    return [
        {"name": name, "attributes": [{"name": field, "type": "string"} for field in fields]}
        for name, fields in OBJECT_TYPES.items()
        if with_actors or name != "actor"
    ]


class Shown(NamedTuple):
    """One event for the file, the objects that it names, and how these relate: (first, second, what it is to it)."""

    event: Json
    things: dict[str, Thing]
    between: list[tuple[str, str, str]]


def shown(payload: bytes, with_actors: bool) -> Shown:
    """An event of the contract, from its canonical bytes. Cost: 15 µs."""
    event = json.loads(payload)
    process, subject, data = event["process"], event["subject"], event["data"]
    things: dict[str, Thing] = {}
    related: dict[tuple[str, str], None] = {}

    def relate(thing: Thing, qualifier: str) -> None:
        name = thing.id
        things[name] = thing
        related[name, qualifier] = None

    noun = event["type"].split(".")[1]
    relate(Thing(_SUBJECTS.get(noun, "work_item"), (process, subject)), "of")
    for role, qualifier in _named_roles(data):
        relate(Thing("role", (process, role)), qualifier)
    for field, (kind, qualifier) in _THINGS.items():
        if field in data:
            relate(Thing(kind, (process, subject, data[field])), qualifier)
    actor = data.get(ACTOR)
    if actor is not None and with_actors:
        relate(Thing("actor", (actor["id"],)), "by")
    written = {
        "id": object_id("event", (process, subject, event["source"], event["id"])),
        "type": event["type"],
        "time": event["time"],
        "attributes": [{"name": name, "value": value} for name, value in _attributes(event, with_actors)],
        "relationships": [{"objectId": name, "qualifier": qualifier} for name, qualifier in related],
    }
    return Shown(written, things, list(_between(data, process, subject)))


def object_json(thing: Thing, between: Iterable[tuple[str, str]] = ()) -> Json:
    """The object for the file.

    Args:
        between: (id of another object, what it is to this one).
    """
    values = {"process": thing.parts[0], "name": thing.parts[-1]}
    return {
        "id": thing.id,
        "type": thing.type,
        "attributes": [{"name": name, "time": TIMELESS, "value": values[name]} for name in OBJECT_TYPES[thing.type]],
        "relationships": [{"objectId": name, "qualifier": qualifier} for name, qualifier in sorted(set(between))],
    }


def contract_bytes(event: Any) -> bytes:
    """JSON of the event of the contract that `shown` made this of; not validated yet.

    Raises: InvalidEvent: it is not of that shape.
    """
    try:
        values: Json = {each["name"]: each["value"] for each in event["attributes"]}
        found: Json = {name: values.pop(name) for name in _ENVELOPE if name in values}
        kind = values.pop(ACTOR_KIND, None)
        if ACTOR in values:
            values[ACTOR] = {"id": values[ACTOR], "kind": kind}
        for name in _AS_TEXT & values.keys():
            values[name] = json.loads(values[name])
        return json.dumps(found | {"type": event["type"], "time": event["time"], "data": values}).encode()
    except (KeyError, TypeError, AttributeError):
        raise InvalidEvent("not_ocel") from None
    except (ValueError, RecursionError):
        raise InvalidEvent("not_json") from None


def _attributes(event: Json, with_actors: bool) -> Iterator[tuple[str, Any]]:
    for name in _ENVELOPE:
        yield name, event[name]
    for name, value in event["data"].items():
        if name == ACTOR:
            yield ACTOR_KIND, value["kind"]
            if with_actors:
                yield ACTOR, value["id"]
        elif name in _AS_TEXT:
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        else:
            yield name, value


def _named_roles(data: Json) -> Iterator[tuple[str, str]]:
    for field, qualifier in _ROLES.items():
        value = data.get(field)
        for role in value if isinstance(value, list) else [value] if value is not None else []:
            yield role, qualifier
    for tie in data.get("ties", ()):
        yield tie["communicator_role"], "communicator"
        yield tie["experiencer_role"], "experiencer"


def _between(data: Json, process: str, subject: str) -> Iterator[tuple[str, str, str]]:
    for field, others in _BETWEEN.items():
        for other, qualifier in others.items():
            if field in data and other in data:
                first, second = (object_id(_THINGS[name][0], (process, subject, data[name])) for name in (field, other))
                yield first, second, qualifier


def _fields(event_type: str) -> list[str]:
    data = EVENT_TYPES[event_type].model_fields["data"].annotation
    fields = [name for name in getattr(data, "model_fields", {}) if name != ACTOR]
    return [*_ENVELOPE, *fields, ACTOR, ACTOR_KIND]


def _declared(field: str) -> Json:
    return {"name": field, "type": _ATTRIBUTE_TYPES.get(field, "string")}
