"""The OpenAPI document describes what there is, and its page asks nothing of other hosts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed
import pytest
from starlette.routing import Route

from schemas.events import EVENT_TYPES
from streams.gateway.http.openapi import openapi_document
from streams.gateway.http.problems import PROBLEMS
from tests.unit.gateway.asgi import ask
from tests.unit.gateway.gateways import World, event


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": openapi_document()["components"]}


def test_every_route_is_described_and_nothing_else(world: World) -> None:
    routes = {route.path for route in world.app.routes if isinstance(route, Route)}
    assert routes - {"/openapi.json", "/docs"} == openapi_document()["paths"].keys()


async def test_document_is_served(world: World) -> None:
    assert (await ask(world.app, "GET", "/openapi.json")).json == openapi_document()


def test_every_reference_leads_somewhere() -> None:
    names = openapi_document()["components"]["schemas"].keys()
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(openapi_document())))
    assert used <= names
    assert "$defs" not in json.dumps(openapi_document())


def test_every_problem_of_a_path_and_its_method_is_described() -> None:
    described = json.dumps(openapi_document()["paths"])
    assert [code for code in PROBLEMS if f"`{code}`" not in described] == ["wrong_method"]


def test_event_schema_takes_events_of_the_contract_and_names_that_are_not_hashed_yet() -> None:
    schema = resolved({"$ref": "#/components/schemas/Event"})
    named = event(1)
    named["data"]["actor"] = {"id": "Jane Roe"}
    for each in (event(1), named):
        jsonschema.Draft202012Validator(schema).validate(each)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"x": 1})


async def test_page_shows_every_path_and_every_event(world: World) -> None:
    answer = await ask(world.app, "GET", "/docs")
    text = answer.body.decode()
    for path in openapi_document()["paths"]:
        assert path in text
    for kind in EVENT_TYPES:
        assert kind in text


async def test_page_has_no_script_and_asks_no_other_host(world: World) -> None:
    answer = await ask(world.app, "GET", "/docs")
    text = answer.body.decode()
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!/openapi\.json|#)', text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
