"""`POST /v1/sources/{name}`: only who can prove it delivers; what cannot be read is counted, not refused."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path

import pytest

from streams.gateway.breaker import BreakerSettings
from streams.gateway.connectors.connector import Delivery
from streams.gateway.http.gateway import STRANGERS_BYTES
from streams.gateway.http.problems import TYPE_PREFIX
from streams.gateway.sources import Limits
from tests.unit.gateway.asgi import Answer, ask
from tests.unit.gateway.gateways import SECRET, World, event, packed

PATH = "/v1/sources/lines"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add_source()
    return world


async def deliver(world: World, body: bytes, secret: str = SECRET, **headers: str) -> Answer:
    """Signed as GitHub does, without a token."""
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    given = {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(world.app, "POST", PATH, body, {name: value for name, value in given.items() if value})


def code(answer: Answer) -> str:
    return str(answer.json["type"]).removeprefix(TYPE_PREFIX)


async def test_delivery_becomes_events_of_the_source(world: World) -> None:
    answer = await deliver(world, b"open w1 Jane Roe\nskip")
    assert (answer.status, answer.json) == (202, {"accepted": 1, "unused": 1, "invalid": 0, "errors": []})
    (event,) = world.log.events
    assert (event["source"], event["process"], event["subject"]) == ("urn:tieline:lines", "p", "w1")


async def test_delivery_that_cannot_be_read_is_a_dead_letter_and_no_error_to_the_sender(world: World) -> None:
    answer = await deliver(world, b"nonsense")
    assert (answer.status, answer.json["errors"]) == (202, [{"field": "", "code": "not_json"}])
    (letter,) = world.log.letters
    assert (letter.stage, letter.topic, letter.offset, letter.code) == ("gateway", "lines", -1, "not_json")
    assert letter.payload_sha256 == hashlib.sha256(b"nonsense").hexdigest()


async def test_event_that_is_not_valid_is_a_dead_letter_and_the_others_are_kept(world: World) -> None:
    answer = await deliver(world, b"open w1 Roe\nopen  Roe\nopen w3 Roe")
    assert (answer.json["accepted"], answer.json["invalid"]) == (2, 1)
    assert [(letter.code, letter.field, letter.offset) for letter in world.log.letters] == [
        ("invalid_value", "subject", 1)
    ]


async def test_connector_that_fails_is_a_dead_letter_and_told_by_place_only(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await deliver(world, b"crash Jane Roe")
    assert (answer.status, answer.json["errors"][0]["code"]) == (202, "connector_failed")
    assert "the connector of lines failed: RuntimeError at gateways.py" in caplog.text
    assert "Roe" not in caplog.text


async def test_same_delivery_twice_gives_the_same_bytes_and_the_same_dead_letters(world: World) -> None:
    for _ in range(2):
        await deliver(world, b"open w1 Jane Roe")
        await deliver(world, b"nonsense")
    assert world.log.records[0] == world.log.records[1]
    assert world.log.letters[0].id == world.log.letters[1].id


async def test_delivery_is_not_acknowledged_while_it_cannot_be_kept(world: World) -> None:
    world.log.state = "full"
    for body in (b"open w1 Roe", b"nonsense"):
        answer = await deliver(world, body)
        assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "unavailable", "5")


@pytest.mark.parametrize("headers", [{}, {"x_hub_signature_256": ""}, {"x_hub_signature_256": "sha256=00"}])
async def test_delivery_without_a_right_signature_is_refused_unread(world: World, headers: dict[str, str]) -> None:
    answer = await deliver(world, b"open w1 Roe", **({"secret": "other"} if not headers else {}), **headers)
    assert (answer.status, code(answer)) == (401, "bad_signature")
    assert not world.log.records
    assert not world.log.letters


async def test_token_does_not_stand_in_for_a_signature(world: World) -> None:
    answer = await world.post(PATH, b"open w1 Roe", "application/json")
    assert (answer.status, code(answer)) == (401, "bad_signature")


async def test_source_with_tokens_takes_those_that_may_write_its_events(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_source(verify="token")
    assert (await world.post(PATH, b"open w1 Roe", "application/json")).status == 202
    assert (await deliver(world, b"open w1 Roe")).status == 401
    for scopes, sources, refusal in (
        (["events:validate"], ["*"], "scope_missing"),
        (["events:write"], ["urn:tieline:other"], "source_not_allowed"),
    ):
        world.token = world.new_token(scopes, sources)  # type: ignore[arg-type]
        world.clock.elapsed_s += 1.0
        answer = await world.post(PATH, b"open w1 Roe", "application/json")
        assert (answer.status, code(answer)) == (403, refusal)


async def test_connector_never_sees_a_token(tmp_path: Path) -> None:
    world, seen = World(tmp_path), list[Delivery]()
    entry = world.add_source(verify="token")
    take = entry.intake.take

    async def watched(delivery: Delivery) -> object:
        seen.append(delivery)
        return await take(delivery)

    entry.intake.take = watched  # type: ignore[method-assign,assignment]
    await world.post(PATH, b"skip", "application/json", cookie="x", x_event="issues")
    assert seen[0].headers["x-event"] == "issues"
    assert not {"authorization", "cookie"} & seen[0].headers.keys()
    assert "skip" not in repr(seen[0])


async def test_fhir_server_may_put_or_post_below_the_endpoint_and_gets_fhir_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_source(verify="token", resources=True)
    headers = {"authorization": f"Bearer {world.token}", "content-type": "application/fhir+json"}
    for method, path in (("PUT", f"{PATH}/Task/1"), ("POST", f"{PATH}/Task")):
        answer = await ask(world.app, method, path, b"open w1 Roe", headers)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/fhir+json")
        assert answer.json["issue"][0]["diagnostics"] == "accepted 1, unused 0, invalid 0"
    assert (await ask(world.app, "GET", f"{PATH}/Task/1", headers=headers)).status == 405


async def test_nothing_is_below_the_endpoint_of_other_sources(world: World) -> None:
    assert (await ask(world.app, "PUT", f"{PATH}/Task/1", b"skip")).status == 404


async def test_acknowledgement_is_the_answer_where_the_sender_expects_one(tmp_path: Path) -> None:
    from deploy.composition.gateway import hl7_acknowledgement

    world = World(tmp_path)
    entry = world.add_source(verify="token", media_types=("application/hl7-v2",))
    world.sources["lines"] = replace(entry, acknowledge=hl7_acknowledgement())
    message = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|7|P|2.5\rskip"
    answer = await world.post(PATH, message, "application/hl7-v2")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/hl7-v2")
    assert b"MSA|AE|7" in answer.body
    world.log.state = "full"
    answer = await world.post(PATH, message, "application/hl7-v2")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert b"MSA|AR|7" in answer.body


async def test_unknown_source_is_not_found(world: World) -> None:
    answer = await world.post("/v1/sources/other", b"skip")
    assert (answer.status, code(answer)) == (404, "not_found")


async def test_source_has_its_own_limits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_source(limits=Limits(max_body_bytes=1024, per_s=0.5, burst=1))
    assert code(await deliver(world, b" " * 1025)) == "too_large"
    assert (await deliver(world, b"skip")).status == 202
    answer = await deliver(world, b"skip")
    assert (answer.status, code(answer), answer.headers["retry-after"]) == (429, "rate_limited", "2")


async def test_strangers_use_up_neither_the_rate_of_a_source_nor_the_room_of_those_with_tokens(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_source(limits=Limits(per_s=0.5, burst=1))
    for _ in range(5):
        assert (await deliver(world, b"skip", secret="other")).status == 401
    with world.gateway.strangers.guest() as crowd:
        crowd.grow(STRANGERS_BYTES)
        assert code(await deliver(world, b"skip")) == "overloaded"
        assert (await world.post("/v1/events", packed(event(1)))).status == 202
    assert (await deliver(world, b"skip")).status == 202


async def test_delivery_of_another_media_type_is_refused(world: World) -> None:
    answer = await deliver(world, b"skip", content_type="application/x-www-form-urlencoded")
    assert (answer.status, code(answer)) == (415, "unsupported_media_type")
    for kind in ("", "application/fhir+json", "application/json; charset=UTF-8"):
        assert (await deliver(world, b"skip", content_type=kind)).status == 202


async def test_source_that_cannot_be_read_most_of_the_time_is_stopped_for_a_while(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_source(breaker=BreakerSettings(deliveries=4))
    for _ in range(4):
        await deliver(world, b"nonsense")
    answer = await deliver(world, b"skip")
    assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "breaker_open", "30")
    assert len(world.log.letters) == 4
    assert 'tieline_gateway_breaker_open{source="lines"} 1.0' in await world.counted()
    world.clock.elapsed_s += 30.0
    assert (await deliver(world, b"skip")).status == 202
    assert 'tieline_gateway_breaker_open{source="lines"} 0.0' in await world.counted()
