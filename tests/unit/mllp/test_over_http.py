"""The same messages over HTTP: the response is the acknowledgement."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import pytest

from streams.gateway.breaker import Breaker
from streams.gateway.connectors.catalogue import HL7_TYPES
from streams.gateway.connectors.hl7v2 import Hl7v2
from streams.gateway.intake import Feeding, Intake
from streams.gateway.mllp.server import answer_to
from tests.unit.connectors.payloads_hl7v2 import adt, header, message
from tests.unit.gateway.asgi import Answer
from tests.unit.gateway.gateways import World

KIND = "x-application/hl7-v2+er7"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway with one HL7 source, `his`, that is let in by token."""
    world = World(tmp_path)
    entry = world.add_source("his", verify="token", media_types=HL7_TYPES)
    intake = Intake(
        Feeding("his", "urn:tieline:his", "p"),
        Hl7v2(),
        world.edge,
        world.log,
        Breaker("his", world.clock.seconds),
        world.metrics,
    )
    world.sources["his"] = dataclasses.replace(entry, intake=intake, acknowledge=partial(answer_to, always=True))
    return world


async def send(world: World, body: bytes, kind: str = KIND) -> Answer:
    return await world.post("/v1/sources/his", body, kind)


def past(trigger: str, **more: str) -> bytes:
    """An ADT message from before the gateway's clock."""
    return adt(trigger, at="20260102081500+0000", **more)


def acknowledged(answer: Answer) -> list[str]:
    assert answer.headers["content-type"] == "application/hl7-v2"
    return answer.body.decode().split("\r")[1].split("|")[1:3]


async def test_message_is_acknowledged_in_the_response(world: World) -> None:
    answer = await send(world, past("A01", operator="OP7^SURNAME"))
    assert (answer.status, acknowledged(answer)) == (200, ["AA", "C1"])
    assert [event["type"] for event in world.log.events] == [
        "tieline.work_item.opened.v1",
        "tieline.work_item.assigned.v1",
    ]
    assert "OP7" not in str(world.log.events) + str(world.log.letters)


async def test_content_that_cannot_be_used_is_in_error_and_a_dead_letter(world: World) -> None:
    answer = await send(world, past("A01", occurred="soon"))
    assert (answer.status, acknowledged(answer)) == (200, ["AE", "C1"])
    assert [(letter.code, letter.field) for letter in world.log.letters] == [("bad_time", "EVN-6")]


async def test_event_that_the_contract_refuses_is_in_error(world: World) -> None:
    assert acknowledged(await send(world, adt("A03", at="21990101081500+0000"))) == ["AE", "C1"]
    assert [letter.code for letter in world.log.letters] == ["future"]


async def test_message_that_cannot_be_kept_now_is_rejected(world: World) -> None:
    world.log.state = "full"
    answer = await send(world, past("A01"))
    assert (answer.status, acknowledged(answer)) == (503, ["AR", "C1"])
    assert int(answer.headers["retry-after"]) >= 1


async def test_sender_that_wants_no_acknowledgement_gets_one_as_http_needs_an_answer(world: World) -> None:
    answer = await send(world, adt("A05", msh={15: "NE", 16: "NE"}))
    assert acknowledged(answer) == ["AA", "C1"]


async def test_acknowledgement_gets_no_acknowledgement(world: World) -> None:
    answer = await send(world, message(header("ACK")))
    assert (answer.status, answer.json["unused"]) == (202, 1)


async def test_other_kinds_of_bodies_are_not_taken(world: World) -> None:
    assert (await send(world, past("A01"), "application/json")).status == 415
