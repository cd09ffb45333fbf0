"""`tieline signals try-webhook`: one signed message, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from schemas.errors import ConfigError
from streams.gateway.signatures import verify
from tests.integration.webhooks.listening import Listening, listening

SECRET = "whsec_b25lLXNlY3JldC1vbmUtc2VjcmV0LW9uZS1zZWNyZXQ="


@pytest.fixture
def hook() -> Iterator[Listening]:
    with listening() as state:
        yield state


def tried(tmp_path: Path, hook: Listening, name: str = "team") -> Result:
    settings = tmp_path / "signals.yaml"
    settings.write_text(f"webhooks: {{team: {{url: '{hook.url}', secrets: [{{env: TEAM}}]}}}}")
    arguments = ["signals", "try-webhook", name, "--signals", str(settings)]
    return CliRunner().invoke(app, arguments, env={"TEAM": SECRET})


def test_a_receiver_that_takes_it_has_a_message_that_says_nothing(tmp_path: Path, hook: Listening) -> None:
    result = tried(tmp_path, hook)
    assert (result.exit_code, result.output) == (0, "team: delivered, HTTP 204\n")
    (request,) = hook.received
    verify("standard_webhooks", [SECRET.encode()], request.headers, request.body, datetime.now(UTC))
    assert request.content["type"] == "tieline.test.v1"


def test_a_receiver_that_refuses_it_is_said_and_fails(tmp_path: Path, hook: Listening) -> None:
    hook.status = 401
    result = tried(tmp_path, hook)
    assert result.exit_code == 1
    assert "team: not delivered: HTTP 401" in result.output
    assert "not-for-logs" not in result.output


def test_an_unknown_webhook_is_a_mistake_in_the_settings(tmp_path: Path, hook: Listening) -> None:
    result = tried(tmp_path, hook, "other")
    assert isinstance(result.exception, ConfigError)
    assert hook.received == []
