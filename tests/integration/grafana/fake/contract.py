"""Grafana's API and dashboards as published: what a request may look like, and what we answer as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

from tests.unit.grafana.dashboard_schema import dashboard_validator

Json = dict[str, Any]
# In the API, and missing from the description that we have.
_UNDESCRIBED = (("GET", re.compile(r"/api/plugins/[^/]+/settings")), ("GET", re.compile(r"/api/frontend/settings")))


class Contract:
    """Says what is wrong with a request, an answer or a dashboard; empty: nothing."""

    def __init__(self, folder: Path) -> None:
        api = json.loads((folder / "api.swagger.json").read_text(encoding="utf-8"))
        self._paths = [(re.compile(_pattern(path)), methods) for path, methods in api["paths"].items()]
        lenient = _without_enums(api["definitions"])
        self._received = _closed(lenient)
        self._answered = lenient
        self._dashboard = dashboard_validator()

    def request_faults(self, method: str, path: str, query: list[str], body: object) -> list[str]:
        """Method, path, names of query parameters, body."""
        if any(method == known and pattern.fullmatch(path) for known, pattern in _UNDESCRIBED):
            return []
        operation = self._operation(method, path)
        if operation is None:
            return [f"Grafana has no {method} {path}"]
        parameters = operation.get("parameters", [])
        known = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        faults = [f"{method} {path} takes no parameter {name}" for name in query if name not in known]
        described = next((parameter["schema"] for parameter in parameters if parameter["in"] == "body"), None)
        if described is None:
            return faults + ([f"{method} {path} takes no body"] if body is not None else [])
        return faults + list(_faults(described, self._received, body))

    def answer_faults(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Of the fake itself: so that it does not answer what Grafana never would."""
        operation = self._operation(method, path)
        if operation is None or status >= 300:
            return []
        described = operation["responses"].get(str(status))
        if described is None:
            return [f"{method} {path} never answers {status}"]
        schema = described.get("schema") or ({"$ref": described["$ref"]} if "$ref" in described else None)
        return [] if schema is None else list(_faults(schema, self._answered, body))

    def dashboard_faults(self, dashboard: object) -> list[str]:
        return [f"{error.json_path}: {error.message[:200]}" for error in self._dashboard.iter_errors(dashboard)]

    def _operation(self, method: str, path: str) -> Json | None:
        found = [
            methods[method.lower()]
            for pattern, methods in self._paths
            if pattern.fullmatch(path) and method.lower() in methods
        ]
        return found[0] if found else None


def _pattern(path: str) -> str:
    return re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))


def _faults(schema: Json, definitions: Json, body: object) -> Iterator[str]:
    validator = Draft4Validator(
        {**schema, "definitions": definitions}
        if "$ref" not in schema
        else {"allOf": [schema], "definitions": definitions}
    )
    for error in validator.iter_errors(body):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:200]}"


def _without_enums(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_enums(value) for key, value in node.items() if key != "enum"}
    return [_without_enums(part) for part in node] if isinstance(node, list) else node


def _closed(definitions: Json) -> Json:
    """What the description does not name, Grafana would ignore without a word: here it is a mistake."""
    return {
        name: {**schema, "additionalProperties": False}
        if schema.get("properties") and "additionalProperties" not in schema
        else schema
        for name, schema in definitions.items()
    }
