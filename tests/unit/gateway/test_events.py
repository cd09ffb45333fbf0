"""`POST /v1/events` and `/v1/validate`: what is answered is what was kept."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from streams.gateway.breaker import BreakerSettings
from streams.gateway.http.problems import MEDIA_TYPE
from streams.gateway.http.split import BATCH, JSON, NDJSON, STRUCTURED
from streams.gateway.sources import EventLimits
from tests.unit.gateway.asgi import Answer, ask
from tests.unit.gateway.gateways import World, event, packed

INVALID = {"x": 1}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def problem(answer: Answer) -> str:
    """The code of a problem, which has to be one."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json["status"] == answer.status
    assert {"type", "title", "detail"} <= answer.json.keys()
    return str(answer.json["type"]).removeprefix("urn:tieline:problem:")


async def test_accepted_event_is_kept_under_the_key_of_its_work_item(world: World) -> None:
    answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, answer.json["accepted"]) == (202, 1)
    assert answer.json["results"] == [{"index": 0, "status": "accepted", "id": "e1"}]
    assert [key for key, _ in world.log.records] == [b"p/w1"]
    assert world.log.events[0]["id"] == "e1"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (BATCH, packed([event(1), event(2)])),
        (JSON, packed([event(1), event(2)])),
        (NDJSON, packed(event(1)) + b"\n" + packed(event(2)) + b"\n"),
    ],
)
async def test_several_events_come_as_a_batch_or_as_lines(world: World, kind: str, body: bytes) -> None:
    answer = await world.post("/v1/events", body, kind)
    assert (answer.status, answer.json["accepted"]) == (202, 2)
    assert [each["id"] for each in world.log.events] == ["e1", "e2"]


async def test_binary_mode_gives_the_same_bytes_as_structured_mode(world: World) -> None:
    given = event(1)
    headers = {f"ce_{name}": str(value) for name, value in given.items() if name != "data" and value != ""}
    assert (await world.post("/v1/events", packed(given["data"]), JSON, **headers)).status == 202
    assert (await world.post("/v1/events", packed(given), STRUCTURED)).status == 202
    assert world.log.records[0] == world.log.records[1]


async def test_batch_keeps_what_is_valid_and_tells_what_is_not(world: World) -> None:
    late = event(3) | {"time": "2999-01-01T00:00:00Z"}
    answer = await world.post("/v1/events", packed([event(1), INVALID, event(2), late]), BATCH)
    assert (answer.status, answer.json["accepted"], answer.json["invalid"]) == (202, 2, 2)
    assert answer.json["results"][1] == {"index": 1, "status": "invalid", "field": "", "code": "missing_type"}
    assert [each["status"] for each in answer.json["results"]] == ["accepted", "invalid"] * 2
    assert [each["id"] for each in world.log.events] == ["e1", "e2"]
    assert [(letter.stage, letter.topic, letter.offset) for letter in world.log.letters] == [
        ("gateway", "events", 1),
        ("gateway", "events", 3),
    ]


async def test_request_without_a_valid_event_is_refused_and_needs_no_dead_letter(world: World) -> None:
    answer = await world.post("/v1/events", packed([INVALID, event(1) | {"data": {"role": 3}}]), BATCH)
    assert (answer.status, problem(answer)) == (422, "invalid_events")
    assert answer.json["errors"] == [
        {"index": 0, "field": "", "code": "missing_type"},
        {"index": 1, "field": "data.role", "code": "invalid_value"},
    ]
    assert not world.log.records
    assert not world.log.letters


async def test_empty_batch_is_accepted_and_holds_nothing(world: World) -> None:
    answer = await world.post("/v1/events", b"[]", BATCH)
    assert (answer.status, answer.json) == (202, {"accepted": 0, "invalid": 0, "results": []})


async def test_same_event_always_gives_the_same_bytes(world: World) -> None:
    for body in (packed(event(1)), json.dumps(event(1), indent=2).encode()):
        await world.post("/v1/events", body)
    assert world.log.records[0] == world.log.records[1]


async def test_nothing_is_acknowledged_while_nothing_can_be_kept(world: World) -> None:
    world.log.state = "full"
    answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, problem(answer), answer.headers["retry-after"]) == (503, "unavailable", "5")


async def test_validation_says_what_keeping_would_and_keeps_nothing(world: World) -> None:
    world.log.state = "full"
    answer = await world.post("/v1/validate", packed([event(1), INVALID]), BATCH)
    assert (answer.status, answer.json["valid"], answer.json["invalid"]) == (200, 1, 1)
    assert (await world.post("/v1/validate", packed(INVALID))).status == 422
    assert not world.log.records


# Who is let in


@pytest.mark.parametrize("given", ["", "Basic dGllbGluZQ==", "Bearer", "Bearer x", "bearer tieline_0_0"])
async def test_nobody_without_a_token_is_let_in(world: World, given: str) -> None:
    answer = await world.post("/v1/events", packed(event(1)), authorization=given)
    assert (answer.status, problem(answer)) == (401, "bad_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_gateway_without_tokens_says_how_to_make_one(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.file.path.unlink()
    world.clock.elapsed_s = 1.0
    answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, problem(answer)) == (401, "no_tokens")
    assert "tieline tokens create" in answer.json["detail"]
    assert "tieline tokens create" in caplog.text


async def test_token_opens_only_what_its_scopes_say(world: World) -> None:
    world.token = world.new_token(["metrics:read"])
    world.clock.elapsed_s = 1.0
    for path in ("/v1/events", "/v1/validate"):
        answer = await world.post(path, packed(event(1)))
        assert (answer.status, problem(answer)) == (403, "scope_missing")
    assert (await world.get("/metrics")).status == 200


async def test_token_writes_only_its_own_sources(world: World) -> None:
    world.token = world.new_token(["events:write"], ["urn:mine:*"])
    world.clock.elapsed_s = 1.0
    foreign, own = event(1), event(2, source="urn:mine:1")
    answer = await world.post("/v1/events", packed(foreign))
    assert (answer.status, problem(answer)) == (403, "source_not_allowed")
    assert answer.json["errors"] == [{"index": 0, "field": "source", "code": "source_not_allowed"}]
    answer = await world.post("/v1/events", packed([foreign, own]), BATCH)
    assert (answer.status, [each["id"] for each in world.log.events]) == (202, ["e2"])


# How much


async def test_body_larger_than_allowed_is_refused_before_it_is_read(tmp_path: Path) -> None:
    world = World(tmp_path, EventLimits(max_body_bytes=1024))
    for body in (b" " * 1025, [b" " * 600, b" " * 600]):
        answer = await world.post("/v1/events", body)
        assert (answer.status, problem(answer), answer.json["limit_bytes"]) == (413, "too_large", 1024)
    assert world.gateway.room.bytes == 0


async def test_more_events_than_allowed_are_refused_together(tmp_path: Path) -> None:
    world = World(tmp_path, EventLimits(max_events=1))
    answer = await world.post("/v1/events", packed([event(1), event(2)]), BATCH)
    assert (answer.status, problem(answer)) == (413, "too_many_events")
    assert not world.log.records


async def test_compressed_body_counts_as_what_it_unpacks_to(tmp_path: Path) -> None:
    world = World(tmp_path, EventLimits(max_body_bytes=1024))
    packed_event = gzip.compress(packed(event(1)))
    assert (await world.post("/v1/events", packed_event, content_encoding="gzip")).status == 202
    bomb = gzip.compress(b" " * 50_000_000)
    answer = await World(tmp_path / "2").post("/v1/events", bomb, content_encoding="gzip")
    assert (answer.status, problem(answer)) == (413, "too_large")


_PACKED = gzip.compress(b"{}")


@pytest.mark.parametrize(
    "body", [b"", b"{}", _PACKED[:-1], _PACKED + b"x"], ids=["none", "plain", "cut off", "and more"]
)
async def test_body_that_is_not_gzip_though_it_says_so_is_refused(world: World, body: bytes) -> None:
    answer = await world.post("/v1/events", body, content_encoding="gzip")
    assert (answer.status, problem(answer)) == (400, "bad_encoding")


async def test_other_encoding_is_refused_with_those_that_are_understood(world: World) -> None:
    answer = await world.post("/v1/events", b"{}", content_encoding="br")
    assert (answer.status, problem(answer)) == (415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == "gzip, identity"


async def test_request_that_finds_no_room_comes_again_later(tmp_path: Path) -> None:
    world = World(tmp_path, room_bytes=1000)
    with world.gateway.room.guest() as other:
        other.grow(900)
        answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, problem(answer), answer.headers["retry-after"]) == (429, "overloaded", "1")
    assert (await world.post("/v1/events", packed(event(1)))).status == 202


async def test_token_whose_rate_is_used_up_comes_again_later(tmp_path: Path) -> None:
    world = World(tmp_path, EventLimits(per_s=0.1, burst=2))
    answers = [await world.post("/v1/events", packed(event(number))) for number in range(1, 4)]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert (problem(answers[2]), answers[2].headers["retry-after"]) == ("rate_limited", "10")
    world.token = world.new_token()
    world.clock.elapsed_s = 1.0
    assert (await world.post("/v1/events", packed(event(4)))).status == 202


async def test_client_that_goes_away_leaves_nothing_behind(world: World) -> None:
    headers = {"authorization": f"Bearer {world.token}", "content-type": JSON}
    answer = await ask(world.app, "POST", "/v1/events", [packed(event(1))], headers, ends=False)
    assert (answer.status, world.gateway.room.bytes, world.log.records) == (400, 0, [])


async def test_token_that_mostly_sends_what_is_invalid_is_stopped_for_a_while(tmp_path: Path) -> None:
    world = World(tmp_path, breaker=BreakerSettings(deliveries=4))
    for body in (packed(INVALID), b"[", packed(INVALID), b"["):
        assert (await world.post("/v1/events", body, JSON)).status in (400, 422)
    answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, problem(answer), answer.headers["retry-after"]) == (503, "breaker_open", "30")
    world.clock.elapsed_s += 30.0
    assert (await world.post("/v1/events", packed(event(1)))).status == 202
    assert (await world.post("/v1/events", packed(event(2)))).status == 202


async def test_batches_that_are_mostly_invalid_stop_a_token_too(tmp_path: Path) -> None:
    world = World(tmp_path, breaker=BreakerSettings(deliveries=2))
    for number in (1, 2):
        mostly_invalid = packed([event(number), INVALID, INVALID])
        assert (await world.post("/v1/events", mostly_invalid, BATCH)).status == 202
    assert (await world.post("/v1/events", packed(event(3)))).status == 503


# Idempotency


async def test_repeated_request_gets_the_answer_of_the_first_and_keeps_nothing_again(world: World) -> None:
    first, again = [await world.post("/v1/events", packed(event(1)), idempotency_key="k") for _ in range(2)]
    assert (again.status, again.body) == (first.status, first.body)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(world.log.records) == 1


async def test_refusal_of_all_events_is_repeated_too(world: World) -> None:
    first, again = [await world.post("/v1/events", packed(INVALID), idempotency_key="k") for _ in range(2)]
    assert (first.status, again.body, again.headers["content-type"]) == (422, first.body, MEDIA_TYPE)


async def test_key_with_another_body_is_refused(world: World) -> None:
    await world.post("/v1/events", packed(event(1)), idempotency_key="k")
    answer = await world.post("/v1/events", packed(event(2)), idempotency_key="k")
    assert (answer.status, problem(answer)) == (422, "idempotency_mismatch")


async def test_request_that_could_not_be_kept_may_be_repeated_with_its_key(world: World) -> None:
    world.log.state = "full"
    assert (await world.post("/v1/events", packed(event(1)), idempotency_key="k")).status == 503
    world.log.state = "kafka"
    assert (await world.post("/v1/events", packed(event(1)), idempotency_key="k")).status == 202


async def test_request_under_way_is_not_begun_a_second_time(world: World) -> None:
    there, go_on = asyncio.Event(), asyncio.Event()
    keep = world.log.keep

    async def slow(records: list[tuple[bytes, bytes]]) -> None:
        there.set()
        await go_on.wait()
        await keep(records)

    world.log.keep = slow  # type: ignore[method-assign]
    first = asyncio.create_task(world.post("/v1/events", packed(event(1)), idempotency_key="k"))
    await there.wait()
    answer = await world.post("/v1/events", packed(event(1)), idempotency_key="k")
    assert (answer.status, problem(answer), answer.headers["retry-after"]) == (409, "idempotency_in_progress", "1")
    go_on.set()
    assert (await first).status == 202


# What is not there


async def test_wrong_path_and_wrong_method_are_problems_too(world: World) -> None:
    answer = await world.get("/v1/nothing")
    assert (answer.status, problem(answer)) == (404, "not_found")
    answer = await world.get("/v1/events")
    assert (answer.status, problem(answer), answer.headers["allow"]) == (405, "wrong_method", "POST")


async def test_mistake_of_ours_is_told_by_place_only(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("Jane Roe")

    world.log.keep = broken  # type: ignore[method-assign,assignment]
    answer = await world.post("/v1/events", packed(event(1)))
    assert (answer.status, problem(answer)) == (500, "internal")
    assert "RuntimeError at test_events.py" in caplog.text
    assert "Roe" not in caplog.text + answer.body.decode()
