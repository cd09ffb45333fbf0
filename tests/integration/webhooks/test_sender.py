"""One attempt over real HTTP on the loopback interface: signed, not redirected, never reading what comes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from streams.gateway.signatures import BadSignature, sign, verify
from streams.gateway.sources import SecretRef
from streams.webhooks.sender import HttpSender, Outcome
from streams.webhooks.settings import Receiver, Webhook
from tests.integration.webhooks.listening import Listening, listening

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECRETS = (b"whsec_b25lLXNlY3JldC1vbmUtc2VjcmV0LW9uZS1zZWNyZXQ=", b"whsec_dHdvLXNlY3JldC10d28tc2VjcmV0LXR3by1zZWNyZXQ=")
BODY = '{"text": "über"}'.encode()


@pytest.fixture
def hook() -> Iterator[Listening]:
    with listening() as state:
        yield state


def receiver(url: str, timeout_s: float = 2.0) -> Receiver:
    webhook = Webhook(url=SecretStr(url), secrets=(SecretRef(env="A"),), timeout_s=timeout_s)
    return Receiver("team", url, SECRETS, webhook)


async def sent(to: Receiver) -> Outcome:
    async with HttpSender() as sender:
        return await sender.send(to, "msg_1", BODY, NOW)


async def test_a_message_is_signed_with_every_secret_over_the_bytes_that_are_sent(hook: Listening) -> None:
    assert await sent(receiver(hook.url)) == Outcome("delivered", 204)
    (request,) = hook.received
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"
    for secret in SECRETS:
        verify("standard_webhooks", [secret], request.headers, request.body, NOW)
    with pytest.raises(BadSignature):
        verify("standard_webhooks", SECRETS, request.headers, request.body + b" ", NOW)


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """The test vector of the specification's reference libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(
        [b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_an_answer_that_is_no_success_is_a_failure_with_its_status(hook: Listening) -> None:
    for status in (199 + 101, 400, 404, 429, 500, 503):
        hook.status, hook.headers = status, {"retry-after": "7"}
        outcome = await sent(receiver(hook.url))
        assert outcome == Outcome("failed", status, "7", f"HTTP {status}")


async def test_gone_is_its_own_answer(hook: Listening) -> None:
    hook.status = 410
    assert (await sent(receiver(hook.url))).verdict == "gone"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(hook: Listening, status: int) -> None:
    with listening() as other:
        hook.status, hook.headers = status, {"location": other.url}
        assert (await sent(receiver(hook.url))).verdict == "failed"
        assert other.received == []
    assert len(hook.received) == 1


async def test_nobody_there_is_a_failure_that_names_no_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = await sent(receiver(f"http://127.0.0.1:{port}/hook?token=hunter2"))
    assert (outcome.verdict, outcome.status) == ("failed", 0)
    assert outcome.why == "ClientConnectorError"


async def test_a_receiver_that_never_answers_is_given_up_after_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = await sent(receiver(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=1.0))
    assert (outcome.verdict, outcome.why) == ("failed", "TimeoutError")


async def test_a_proxy_of_the_environment_is_not_used(hook: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert (await sent(receiver(hook.url))).verdict == "delivered"
        assert proxy.received == []


async def test_a_private_address_is_not_even_connected_to() -> None:
    to = receiver("https://example.org/")._replace(url="https://10.255.255.1/")
    assert await sent(to) == Outcome("failed", why="it is at a private address")


async def test_timestamps_are_of_the_attempt(hook: Listening) -> None:
    later = NOW + timedelta(hours=5)
    async with HttpSender() as sender:
        await sender.send(receiver(hook.url), "msg_1", BODY, later)
    assert hook.received[0].headers["webhook-timestamp"] == str(int(later.timestamp()))
