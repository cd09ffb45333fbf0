"""JSON Schemas of what the gateway answers."""

from __future__ import annotations

from typing import Any

from streams.gateway.http.problems import PROBLEMS, TYPE_PREFIX

Json = dict[str, Any]
_COUNT: Json = {"type": "integer", "minimum": 0}
_TEXT: Json = {"type": "string"}
_CODE: Json = {"type": "string", "description": "A stable reason, such as `missing_field`."}
_FIELD: Json = {"type": "string", "description": "Dotted path of the field; empty if it is about no field."}


def _object(required: Json, optional: Json | None = None, **more: Any) -> Json:
    return {"type": "object", "properties": required | (optional or {}), "required": list(required), **more}


def _results(word: str) -> Json:
    return {
        "type": "array",
        "description": "One for each event, in order.",
        "items": _object(
            {"index": _COUNT, "status": {"enum": [word, "invalid"]}},
            {"id": {"type": "string", "description": "Of a valid event."}, "code": _CODE, "field": _FIELD},
            additionalProperties=False,
        ),
    }


def _outcome(word: str) -> Json:
    return _object({word: _COUNT, "invalid": _COUNT, "results": _results(word)}, additionalProperties=False)


_ERROR = _object({"code": _CODE, "field": _FIELD}, additionalProperties=False)
_PROBLEM = _object(
    {
        "type": {"enum": [TYPE_PREFIX + code for code in PROBLEMS]},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
    },
    {
        "errors": {
            "type": "array",
            "description": "The first thousand invalid events.",
            "items": _object({"index": _COUNT, "field": _FIELD, "code": _CODE}, additionalProperties=False),
        },
        "invalid": {"type": "integer", "description": "How many events are invalid.", "minimum": 1},
        "accepted": {"type": "array", "description": "Content types that are read here.", "items": _TEXT},
        "limit_bytes": _COUNT,
        "limit_events": _COUNT,
        "field": {"type": "string", "description": "The header that is malformed."},
        "scope": _TEXT,
        "checks": {"type": "object", "additionalProperties": _TEXT},
    },
    description="RFC 9457 problem details. Fields are named, values are never repeated.",
    additionalProperties=False,
)

SCHEMAS: dict[str, Json] = {
    "Problem": _PROBLEM,
    "Kept": _outcome("accepted"),
    "Checked": _outcome("valid"),
    "Taken": _object(
        {
            "accepted": {**_COUNT, "description": "Events that are durable."},
            "unused": {**_COUNT, "description": "Understood, and of no use here."},
            "invalid": {**_COUNT, "description": "Dead-lettered."},
            "errors": {"type": "array", "items": _ERROR},
        },
        additionalProperties=False,
    ),
    "OperationOutcome": _object({"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array"}}),
    "Live": _object({"status": {"const": "live"}}, additionalProperties=False),
    "Ready": _object(
        {"status": {"const": "ready"}, "checks": {"type": "object", "additionalProperties": _TEXT}},
        additionalProperties=False,
    ),
}
