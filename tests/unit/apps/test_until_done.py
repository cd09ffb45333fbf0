"""Writing until the broker has it."""

from __future__ import annotations

import logging

import pytest

from schemas.errors import InvalidEvent, TransientError
from streams.apps.until_done import until_done
from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import WORKER, WRITE_FAILURES


async def test_a_broker_that_is_away_is_tried_again_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    values, left = Values(WORKER), [TransientError("away", retry_after_s=0.01), TransientError("away", 0.01)]

    async def write() -> None:
        if left:
            raise left.pop()

    with caplog.at_level(logging.WARNING):
        await until_done(write, values)
    assert not left
    assert f"\n{WRITE_FAILURES.name} 2.0" in values.text().decode()
    assert [record.message for record in caplog.records] == [
        "not written, attempt 1: away",
        "not written, attempt 2: away",
    ]


async def test_what_no_repetition_helps_is_raised() -> None:
    async def write() -> None:
        raise InvalidEvent("too_large")

    with pytest.raises(InvalidEvent):
        await until_done(write, Values(WORKER))
