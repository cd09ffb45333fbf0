"""The OpenAPI 3.1 document of the gateway, with the contract's own schemas of events in it."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from streams.gateway.http.answers_schema import SCHEMAS
from streams.gateway.http.problems import MEDIA_TYPE as PROBLEM
from streams.gateway.http.problems import PROBLEMS
from streams.gateway.http.split import BATCH, JSON, NDJSON, STRUCTURED

Json = dict[str, Any]
_EVENT, _EVENTS = {"$ref": "#/components/schemas/Event"}, {"$ref": "#/components/schemas/Events"}
_DELIVERED = (
    "application/json",
    "application/fhir+json",
    "application/hl7-v2",
    "x-application/hl7-v2+er7",
    "text/plain",
)


def _header(description: str, schema: Json) -> Json:
    return {"description": description, "schema": schema}


_RETRY_AFTER = {"Retry-After": _header("Seconds until it is worth trying again.", {"type": "integer", "minimum": 1})}
_CHALLENGE = {"WWW-Authenticate": _header("How to prove who asks.", {"type": "string"})}


def _problems(*codes: str) -> Json:
    """Responses for these problems, by status."""
    found: Json = {}
    for code in codes:
        kind = PROBLEMS[code]
        entry = found.setdefault(str(kind.status), {"description": "", "content": _content(PROBLEM, "Problem")})
        entry["description"] = "; ".join(filter(None, [entry["description"], f"`{code}`: {kind.title}"]))
        headers = _RETRY_AFTER if kind.status in (409, 429, 503) else _CHALLENGE if kind.status == 401 else {}
        if headers:
            entry["headers"] = headers
    return found


def _content(media_type: str, schema: str) -> Json:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _answer(description: str, schema: str) -> Json:
    return {"description": description, "content": _content(JSON, schema)}


_BODY: Json = {
    "required": True,
    "description": (
        "One event, a JSON array of events, or events as lines. In binary mode (`Content-Type: application/json` and a"
        " header `ce-specversion`) the attributes are `ce-` headers and the body is the event's `data`."
        " `Content-Encoding: gzip` is understood."
    ),
    "content": {
        STRUCTURED: {"schema": _EVENT},
        BATCH: {"schema": _EVENTS},
        JSON: {"schema": {"anyOf": [_EVENT, _EVENTS]}},
        NDJSON: {"schema": {"type": "string", "description": "One event a line."}},
    },
}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body get the same answer for a day, while the gateway runs.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_SOURCE_NAME: Json = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "As in the gateway's settings.",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,63}$"},
}
_READING = (
    "bad_header",
    "not_json",
    "bad_encoding",
    "disconnected",
    "bad_token",
    "no_tokens",
    "scope_missing",
    "source_not_allowed",
    "slow_body",
    "too_large",
    "too_many_events",
    "unsupported_media_type",
    "unsupported_encoding",
    "invalid_events",
    "rate_limited",
    "overloaded",
    "internal",
)
_TAKING = ("idempotency_in_progress", "idempotency_mismatch", "unavailable", "breaker_open")
_BEARER: list[Json] = [{"token": []}]
_DELIVERING = tuple(
    code for code in _READING if code not in ("not_json", "bad_header", "too_many_events", "invalid_events")
)

SOURCE = "/v1/sources/{name}"


def _resource(operation: str, summary: str, *parameters: str) -> Json:
    """A FHIR resource below the endpoint of its source."""
    described = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}}
        for name in parameters
    ]
    return {
        "operationId": operation,
        "summary": summary,
        "description": "For sources of FHIR: R4 subscriptions of type rest-hook. Otherwise as the endpoint itself.",
        "security": [{"token": []}],
        "parameters": [_SOURCE_NAME, *described],
        "requestBody": {"required": True, "content": {kind: {"schema": {"type": "object"}} for kind in _DELIVERED[:2]}},
        "responses": {
            "200": {
                "description": "Durable, as the OperationOutcome says.",
                "content": _content("application/fhir+json", "OperationOutcome"),
            },
            **_problems(*_DELIVERING, "bad_signature", "not_found", "unavailable", "breaker_open"),
        },
    }


OPERATIONS: dict[str, Json] = {
    "/v1/events": {
        "post": {
            "operationId": "keepEvents",
            "summary": "Keep events",
            "description": "Answers 202 once every valid event is durable: acknowledged by Kafka, or synced to disk.",
            "security": _BEARER,
            "parameters": [_KEY],
            "requestBody": _BODY,
            "responses": {"202": _answer("Kept, each as `results` says.", "Kept"), **_problems(*_READING, *_TAKING)},
        }
    },
    "/v1/validate": {
        "post": {
            "operationId": "validateEvents",
            "summary": "Check events",
            "description": "Does everything that `/v1/events` does, but writes nothing.",
            "security": _BEARER,
            "requestBody": _BODY,
            "responses": {"200": _answer("Valid, each as `results` says.", "Checked"), **_problems(*_READING)},
        }
    },
    SOURCE: {
        "post": {
            "operationId": "takeDelivery",
            "summary": "Take what a source sends by itself",
            "description": (
                "For webhooks. What cannot be read is answered with 202 too, counted and dead-lettered: the sender"
                " could not correct it, and many stop sending after errors. The body must carry the source's signature,"
                " or the request a token."
            ),
            "security": [{"token": []}, *({name: []} for name in ("github", "pagerduty", "standard_webhooks"))],
            "parameters": [_SOURCE_NAME],
            "requestBody": {
                "required": True,
                "content": {
                    kind: {"schema": {"type": "string" if "json" not in kind else "object"}} for kind in _DELIVERED
                },
            },
            "responses": {
                "200": {
                    "description": "HL7 version 2: the acknowledgement.",
                    "content": {"application/hl7-v2": {"schema": {"type": "string"}}},
                },
                "202": _answer("Durable, as the counts say.", "Taken"),
                **_problems(*_DELIVERING, "bad_signature", "not_found", "unavailable", "breaker_open"),
            },
        }
    },
    f"{SOURCE}/{{type}}": {"post": _resource("createResource", "Take a new resource", "type")},
    f"{SOURCE}/{{type}}/{{id}}": {"put": _resource("updateResource", "Take a changed resource", "type", "id")},
    "/health/live": {
        "get": {
            "operationId": "live",
            "summary": "Whether the process answers",
            "security": [],
            "responses": {"200": _answer("It does.", "Live")},
        }
    },
    "/health/ready": {
        "get": {
            "operationId": "ready",
            "summary": "Whether events can be kept",
            "security": [],
            "responses": {"200": _answer("They can.", "Ready"), **_problems("not_ready", "internal")},
        }
    },
    "/metrics": {
        "get": {
            "operationId": "metrics",
            "summary": "What was counted, for Prometheus",
            "security": _BEARER,
            "responses": {
                "200": {
                    "description": "Prometheus' text format.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **_problems("bad_token", "no_tokens", "scope_missing", "internal"),
            },
        }
    },
}


@cache
def openapi_document() -> Json:
    """The whole document. Built when it is first asked for: 50 ms."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tieline gateway",
            "version": _version(),
            "description": "Where systems send events about work that is handed from role to role.",
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": _BEARER,
        "paths": OPERATIONS,
        "components": {"schemas": {**SCHEMAS, **_event_schemas()}, "securitySchemes": _SECURITY},
    }


_SECURITY: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "`tieline tokens create`"},
    "github": {"type": "apiKey", "in": "header", "name": "X-Hub-Signature-256", "description": "HMAC of the body."},
    "pagerduty": {
        "type": "apiKey",
        "in": "header",
        "name": "X-PagerDuty-Signature",
        "description": "HMAC of the body.",
    },
    "standard_webhooks": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "HMAC of the body.",
    },
}


def _version() -> str:
    try:
        return version("tieline")
    except PackageNotFoundError:
        return "0"


def _event_schemas() -> Json:
    """The contract's schema of events, with its definitions beside it and actors as they may be posted."""
    from schemas.export.json_schema import EVENT_FILE, schema_documents

    event = deepcopy(schema_documents()[EVENT_FILE])
    definitions: Json = event.pop("$defs")
    for name in ("$id", "$schema"):
        event.pop(name, None)
    definitions["Actor"]["properties"]["id"] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "description": "A keyed hash `<key-id>:<32 hex>` of a registered key, or a name, which is hashed on arrival.",
    }
    schemas = {"Event": event, "Events": {"type": "array", "items": _EVENT}, **definitions}
    return {name: _with_component_refs(schema) for name, schema in schemas.items()}


def _with_component_refs(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _with_component_refs(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_component_refs(value) for value in node]
    return node.replace("#/$defs/", "#/components/schemas/") if isinstance(node, str) else node
