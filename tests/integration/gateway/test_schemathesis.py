"""The OpenAPI document is true: generated requests get no 5xx, and only answers that it describes."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from streams.gateway.sources import EventLimits
from tests.brokers import must_run
from tests.unit.gateway.asgi import ask
from tests.unit.gateway.gateways import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CASES = int(os.environ.get("TIELINE_SCHEMATHESIS_CASES", "800" if must_run() else "500"))
"""Over all operations together, half of them with data that the document allows; `make faults` asks 5,000."""
WEIGHTS = {"/v1/events": 10, "/v1/validate": 7, "/v1/sources/{name}": 7}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """With a source that takes tokens, and limits that a case can reach."""
    world = World(tmp_path, EventLimits(max_body_bytes=4_000, max_events=4))
    world.add_source("lines", "token")
    world.add_source("resources", "token", resources=True)
    return world


def test_generated_requests_get_only_answers_that_the_document_describes(world: World) -> None:
    schema = schemathesis.openapi.from_dict(_document(world))
    operations = [result.ok() for result in schema.get_all_operations()]
    asked = Counter[int]()
    with asyncio.Runner() as runner:
        for operation in operations:
            share = WEIGHTS.get(operation.path, 1) / sum(WEIGHTS.get(each.path, 1) for each in operations)
            for mode in GenerationMode:
                asked += _ask(world, runner, operation, mode, round(CASES * share / 2))
    assert len(operations) == len(_document(world)["paths"])
    assert asked.total() >= 0.9 * CASES
    # Not everything is refused: the cases reach what is behind the first checks.
    assert {200, 202, 400, 401, 404, 413, 422} <= asked.keys()


def _ask(world: World, runner: asyncio.Runner, operation: Any, mode: GenerationMode, number: int) -> Counter[int]:
    """How often each status came back."""
    asked = Counter[int]()

    @seed(4)
    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def law(case: Case) -> None:
        world.clock.elapsed_s += 40.0  # a breaker that opened lets one through
        token = world.token if asked.total() % 10 else "none"
        response = runner.run(_response(world, case, token))
        asked[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    if mode in _modes(operation):
        law()
    return asked


def _modes(operation: Any) -> set[GenerationMode]:
    """Data can only be wrong where there is any."""
    has_data = bool(operation.body) or any(operation.iter_parameters())
    return set(GenerationMode) if has_data else {GenerationMode.POSITIVE}


async def _response(world: World, case: Case, token: str) -> Response:
    """The case, sent in process. Schemathesis' own transport wants another HTTP library than the one installed."""
    given = case.as_transport_kwargs(base_url="http://gateway")
    prepared = requests.Request(
        **{name: given.get(name) for name in ("method", "url", "headers", "params", "data", "json")}
    ).prepare()
    headers = {str(name): str(value) for name, value in prepared.headers.items()} | {"authorization": f"Bearer {token}"}
    body = prepared.body or b""
    parts = urlsplit(prepared.url or "")
    answer = await ask(
        world.app,
        prepared.method or "GET",
        unquote(parts.path),
        body.encode() if isinstance(body, str) else bytes(body),
        {name.lower(): value for name, value in headers.items()},
    )
    found = {name: [value] for name, value in answer.headers.items()}
    return Response(answer.status, found, answer.body, prepared, elapsed=0.0, verify=False)


def _document(world: World) -> dict[str, Any]:
    document: dict[str, Any] = world.app.openapi()
    return document
