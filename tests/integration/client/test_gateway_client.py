"""Events are sent until they are durable, and once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.errors import TransientError
from schemas.events import WorkItemWorked
from streams.client import EventMaker, GatewayClient, Refusal, Refused, Sent
from streams.client.backoff import Backoff
from tests.integration.client.answering import Answering, accepted, answering, problem

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MADE = EventMaker("/tickets", "incident")


def events(count: int) -> list[WorkItemWorked]:
    return [MADE.make(WorkItemWorked, id=str(n), work_item=f"T-{n}", at=NOW, role="desk") for n in range(count)]


class Sleeps(list[float]):
    """Remembers how long, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(server: Answering, sleeps: Sleeps | None = None, attempts: int = 4) -> GatewayClient:
    backoff = Backoff(attempts=attempts, first_s=1.0, chance=lambda: 1.0)
    return GatewayClient(server.url, "tieline_x_secret", backoff=backoff, sleep=Sleeps() if sleeps is None else sleeps)


def test_events_are_sent_in_order_in_batches() -> None:
    with answering() as server, client(server) as gateway:
        assert gateway.send(events(1101)) == Sent(1101, ())
    assert [len(asked.events) for asked in server.asked] == [500, 500, 101]
    assert [event["id"] for asked in server.asked for event in asked.events] == [str(n) for n in range(1101)]
    first = server.asked[0].headers
    assert first["content-type"] == "application/cloudevents-batch+json"
    assert first["content-encoding"] == "gzip"
    assert first["authorization"] == "Bearer tieline_x_secret"


def test_nothing_to_send_asks_nobody() -> None:
    with answering() as server, client(server) as gateway:
        assert gateway.send([]) == Sent(0, ())
    assert not server.asked


def test_request_that_is_repeated_has_the_same_idempotency_key() -> None:
    sleeps = Sleeps()
    lost = (0, {}, {})
    answers = (lost, problem(503, "unavailable"), problem(409, "idempotency_in_progress"))
    with answering(*answers) as server, client(server, sleeps) as gateway:
        assert gateway.send(events(2)).accepted == 2
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert sleeps == [1.0, 2.0, 4.0]


def test_another_batch_and_another_call_have_another_idempotency_key() -> None:
    with answering() as server, client(server) as gateway:
        gateway.send(events(501))
        gateway.send(events(501))
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 4


def test_retry_after_is_honoured() -> None:
    sleeps = Sleeps()
    busy = (429, {"Retry-After": "17"}, {"type": "urn:tieline:problem:rate_limited"})
    with answering(busy) as server, client(server, sleeps) as gateway:
        gateway.send(events(1))
    assert sleeps == [17.0]


def test_gateway_that_stays_away_is_a_transient_error() -> None:
    with (
        answering(*[problem(503, "unavailable")] * 4) as server,
        client(server) as gateway,
        pytest.raises(TransientError, match="status 503"),
    ):
        gateway.send(events(1))
    with pytest.raises(TransientError, match="ConnectionRefusedError"):
        client(server).send(events(1))


def test_event_that_is_refused_is_named_by_its_position_among_all() -> None:
    results = [{"index": n, "status": "accepted", "id": str(n)} for n in range(500)]
    results[7] = {"index": 7, "status": "invalid", "code": "future", "field": "time"}
    mixed = (202, {}, {"accepted": 499, "invalid": 1, "results": results})
    none = problem(422, "invalid_events", errors=[{"index": 0, "code": "unknown_key", "field": "data.actor.id"}])
    with answering(mixed, none) as server, client(server) as gateway:
        sent = gateway.send(events(501))
    assert sent == Sent(499, (Refusal(7, "future", "time"), Refusal(500, "unknown_key", "data.actor.id")))


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "bad_token"), (403, "source_not_allowed"), (404, "not_found"), (422, "idempotency_mismatch")],
)
def test_request_that_is_refused_is_not_repeated(status: int, code: str) -> None:
    with answering(problem(status, code)) as server, client(server) as gateway, pytest.raises(Refused) as caught:
        gateway.send(events(1))
    assert (caught.value.status, caught.value.code, len(server.asked)) == (status, code, 1)


def test_batch_that_is_too_large_is_halved() -> None:
    with answering(problem(413, "too_large")) as server, client(server) as gateway:
        assert gateway.send(events(5)) == Sent(5, ())
    assert [len(asked.events) for asked in server.asked] == [5, 2, 3]


def test_redirection_is_not_followed() -> None:
    with (
        answering((307, {"Location": "http://127.0.0.1:9/"}, {})) as server,
        client(server) as gateway,
        pytest.raises(Refused, match="307"),
    ):
        gateway.send(events(1))
    assert len(server.asked) == 1


@pytest.mark.parametrize("told", [{}, {"results": [{}]}, {"results": 7}])
def test_answer_that_is_none_is_a_transient_error(told: dict[str, object]) -> None:
    with (
        answering((202, {}, told)) as server,
        client(server) as gateway,
        pytest.raises(TransientError, match="cannot be read"),
    ):
        gateway.send(events(1))


def test_validation_keeps_nothing_and_needs_no_key() -> None:
    valid = (200, {}, accepted(1)[2])
    with answering(valid) as server, client(server) as gateway:
        assert gateway.validate(events(1)).accepted == 1
    assert server.asked[0].path == "/v1/validate"
    assert "idempotency-key" not in server.asked[0].headers
