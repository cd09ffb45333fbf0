"""What an object-centric log in JSON has to be, written down from the OCEL 2.0 specification; and small logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed

from schemas.events import Event
from streams.event_files.ocel_writer import OcelWriter
from tests.unit.event_files.written import by_item

Json = dict[str, Any]

_NAME = {"type": "string", "minLength": 1}
_VALUE = {"type": ["string", "number", "boolean"]}
_TIME = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}


def _object(required: Json, optional: Json | None = None) -> Json:
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


_DECLARED = _object({"name": _NAME, "type": {"enum": ["string", "time", "integer", "float", "boolean"]}})
_TYPE = _object({"name": _NAME, "attributes": _list(_DECLARED)})
_RELATED = _list(_object({"objectId": _NAME, "qualifier": {"type": "string"}}))
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        {
            "eventTypes": _list(_TYPE),
            "objectTypes": _list(_TYPE),
            "events": _list(
                _object(
                    {"id": _NAME, "type": _NAME, "time": _TIME},
                    {"attributes": _list(_object({"name": _NAME, "value": _VALUE})), "relationships": _RELATED},
                )
            ),
            "objects": _list(
                _object(
                    {"id": _NAME, "type": _NAME},
                    {
                        "attributes": _list(_object({"name": _NAME, "time": _TIME, "value": _VALUE})),
                        "relationships": _RELATED,
                    },
                )
            ),
        }
    ),
}
_PYTHON: dict[str, Any] = {"string": str, "time": str, "integer": int, "float": (int, float), "boolean": bool}


def check(log: Json) -> None:
    """The schema, and what the specification says beyond it: unique ids, nothing undeclared, no unknown object."""
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    objects = {each["id"] for each in log["objects"]}
    for what in ("events", "objects"):
        ids = [each["id"] for each in log[what]]
        assert len(set(ids)) == len(ids)
        kinds = log[f"{what[:-1]}Types"]
        assert len({kind["name"] for kind in kinds}) == len(kinds)
        declared = {kind["name"]: {each["name"]: each["type"] for each in kind["attributes"]} for kind in kinds}
        for each in log[what]:
            for attribute in each.get("attributes", ()):
                expected = _PYTHON[declared[each["type"]][attribute["name"]]]
                assert isinstance(attribute["value"], expected), attribute["name"]
            related = [(found["objectId"], found["qualifier"]) for found in each.get("relationships", ())]
            assert len(set(related)) == len(related)
            assert {name for name, _ in related} <= objects


def written(events: Sequence[Event], with_actors: bool = False) -> bytes:
    """The log of these events."""
    file = BytesIO()
    writer = OcelWriter(file, BytesIO(), with_actors)
    for _, payloads in sorted(by_item(events).items()):
        writer.item(payloads)
    writer.finish()
    return file.getvalue()


def saved(path: Path, log: Json) -> Path:
    """Somebody else's log as a file."""
    path.write_text(json.dumps(log))
    return path
