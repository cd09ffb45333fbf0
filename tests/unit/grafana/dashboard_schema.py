"""The JSON Schema of a dashboard, without its false errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed
import pytest

from tests import brokers

ANYTHING: dict[str, Any] = {}


def dashboard_validator() -> jsonschema.Draft7Validator:
    """Of `grafana/dashboard.jsonschema.json` in the shared folder; skips without that folder, but not in CI.

    The schema is generated, and takes "any value" for "an object" in three places: values of overrides, options of
    matchers, and members of a variable's query.
    """
    chosen = os.environ.get("TIELINE_SHARED")
    folder = Path(chosen) if chosen else Path(__file__).parents[4] / "shared"
    path = folder / "grafana" / "dashboard.jsonschema.json"
    if not path.is_file():
        reason = f"no schema of dashboards at {path}; set TIELINE_SHARED"
        if brokers.must_run():
            pytest.fail(reason)
        pytest.skip(reason)
    schema = json.loads(path.read_text(encoding="utf-8"))
    kinds = schema["definitions"]
    kinds["DynamicConfigValue"]["properties"]["value"] = ANYTHING
    kinds["MatcherConfig"]["properties"]["options"] = ANYTHING
    kinds["VariableModel"]["properties"]["query"]["oneOf"][1]["additionalProperties"] = ANYTHING
    return jsonschema.Draft7Validator(schema)
