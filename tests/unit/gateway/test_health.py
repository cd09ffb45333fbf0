"""Health and metrics: what they say is so, and labels are of closed lists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from streams.gateway.breaker import BreakerSettings
from streams.gateway.http.problems import PROBLEMS
from streams.gateway.metrics import CODES, METRICS, OTHER, UNUSED_REASONS, code_label, unused_label
from streams.telemetry.worker_metrics import PROCESS
from tests.unit.gateway.asgi import ask
from tests.unit.gateway.gateways import World, event, packed

ROOT = Path(__file__).parents[3]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_process_that_answers_is_live_whatever_else_is_away(world: World) -> None:
    world.log.state = "full"
    assert (await ask(world.app, "GET", "/health/live")).json == {"status": "live"}


@pytest.mark.parametrize(("state", "status"), [("kafka", 200), ("spool", 200), ("full", 503), ("stopped", 503)])
async def test_gateway_is_ready_while_events_can_be_kept(world: World, state: str, status: int) -> None:
    world.log.state = state
    answer = await ask(world.app, "GET", "/health/ready")
    assert (answer.status, answer.json["checks"]["log"]) == (status, state)


async def test_metrics_are_for_tokens_with_their_scope(world: World) -> None:
    assert (await ask(world.app, "GET", "/metrics")).status == 401
    answer = await world.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")


async def test_every_metric_of_the_list_is_there_and_no_other(world: World) -> None:
    text = await world.counted()
    described = {name.removesuffix("_total") for name in re.findall(r"^# HELP (\S+)", text, re.MULTILINE)}
    ours = {name for name in described if not name.startswith("process_")}  # those are Prometheus' own
    assert ours == {metric.name.removesuffix("_total") for metric in METRICS}


def test_metric_is_named_as_prometheus_wants_it() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"tieline_[a-z_]+" if metric in PROCESS else r"tieline_gateway_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert len({metric.name for metric in METRICS}) == len(METRICS)


async def test_what_was_kept_and_refused_is_counted(world: World) -> None:
    await world.post("/v1/events", packed([event(1), event(2), {"x": 1}]), "application/cloudevents-batch+json")
    await world.post("/v1/events", b"[", "application/json")
    text = await world.counted()
    for line in (
        'tieline_gateway_events_kept_total{source="events"} 2.0',
        'tieline_gateway_events_invalid_total{code="missing_type",source="events"} 1.0',
        'tieline_gateway_refused_total{code="not_json",endpoint="events"} 1.0',
        'tieline_gateway_requests_total{endpoint="events",status="202"} 1.0',
        'tieline_gateway_requests_total{endpoint="events",status="400"} 1.0',
    ):
        assert line in text


async def test_breaker_of_a_token_shows(tmp_path: Path) -> None:
    world = World(tmp_path, breaker=BreakerSettings(deliveries=1))
    await world.post("/v1/events", b"[", "application/json")
    assert 'tieline_gateway_breaker_open{source="events"} 1.0' in await world.counted()


async def test_spool_shows(world: World) -> None:
    world.log.state, world.log.depth_bytes, world.log.oldest_s = "spool", 12, 3.0
    text = await world.counted()
    assert "tieline_gateway_log_on_spool 1.0" in text
    assert "tieline_gateway_spool_bytes 12.0" in text
    assert "tieline_gateway_spool_oldest_seconds 3.0" in text


def test_every_reason_that_the_gateway_gives_is_in_the_list() -> None:
    found = set[str]()
    for path in (ROOT / "streams" / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("InvalidEvent", "Refused", "TooBusy"):
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    assert "not_hl7" in found
    assert found <= CODES
    assert PROBLEMS.keys() <= CODES


def test_label_is_never_what_somebody_sent() -> None:
    assert code_label("jane.roe") == OTHER
    assert unused_label("issues.jane roe") == "not_used"
    assert unused_label("Task.no_role") == "no_role"
    assert {code_label(code) for code in CODES} == CODES
    assert {unused_label(reason) for reason in UNUSED_REASONS} == UNUSED_REASONS


def test_reference_lists_every_metric_as_it_is() -> None:
    text = (ROOT / "docs" / "gateway.md").read_text()
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |" in text
