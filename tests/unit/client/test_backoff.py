"""A client waits long enough, and says its secrets to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.errors import ConfigError
from streams.client import GatewayClient
from streams.client.backoff import Backoff, retry_after_s

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("999999", 300.0),
        ("Mon, 02 Mar 2026 08:00:20 GMT", 20.0),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("-1", 0.0),
        (None, 0.0),
    ],
)
def test_retry_after_may_be_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_waiting_times_grow_to_a_limit_and_differ() -> None:
    backoff = Backoff(first_s=1.0, longest_s=10.0, chance=lambda: 0.0)
    assert [backoff.wait_s(n, None, NOW) for n in (1, 2, 3, 9)] == [0.5, 1.0, 2.0, 5.0]
    assert Backoff().wait_s(1, None, NOW) <= 0.5


@pytest.mark.parametrize(
    "url", ["http://tieline.example", "ftp://x", "tieline.example", "https://", "http://10.0.0.1:80"]
)
def test_token_does_not_travel_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigError):
        GatewayClient(url, "tieline_x_secret")
    assert "secret" not in repr(GatewayClient("https://tieline.example/base", "tieline_x_secret"))
