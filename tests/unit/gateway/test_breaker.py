"""The breaker: opens loudly, tries again, closes by itself."""

from __future__ import annotations

import logging

import pytest

from streams.gateway.breaker import Breaker, BreakerOpen, BreakerSettings
from tests.unit.gateway.gateways import StillClock


def breaker(clock: StillClock) -> Breaker:
    return Breaker("helpdesk", clock.seconds, BreakerSettings())


def feed(one: Breaker, unreadable: int, readable: int = 0) -> None:
    for _ in range(readable):
        one.record(False)
    for _ in range(unreadable):
        one.record(True)


def test_breaker_opens_when_more_than_half_of_fifty_cannot_be_read() -> None:
    one = breaker(StillClock())
    feed(one, unreadable=25, readable=25)
    one.enter()
    one.record(True)
    with pytest.raises(BreakerOpen) as refused:
        one.enter()
    assert refused.value.retry_after_s == 30.0


def test_breaker_stays_closed_for_fewer_than_fifty() -> None:
    one = breaker(StillClock())
    feed(one, unreadable=49)
    one.enter()
    assert one.state == "closed"


def test_deliveries_older_than_a_minute_do_not_count() -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=49)
    clock.elapsed_s = 61.0
    feed(one, unreadable=1)
    assert one.state == "closed"


def test_open_breaker_lets_one_through_after_half_a_minute() -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=50)
    clock.elapsed_s = 30.0
    assert one.state == "half_open"
    one.enter()
    with pytest.raises(BreakerOpen):
        one.enter()


def test_delivery_that_can_be_read_closes_it() -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=50)
    clock.elapsed_s = 30.0
    one.enter()
    one.record(False)
    assert one.state == "closed"
    feed(one, unreadable=49)
    assert one.state == "closed"


def test_delivery_that_cannot_be_read_keeps_it_open_for_as_long_again() -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=50)
    clock.elapsed_s = 30.0
    one.enter()
    one.record(True)
    assert one.state == "open"
    clock.elapsed_s = 60.0
    one.enter()


def test_trial_of_which_nothing_is_heard_does_not_keep_it_open_for_good() -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=50)
    clock.elapsed_s = 30.0
    one.enter()
    clock.elapsed_s = 60.0
    one.enter()


def test_delivery_that_was_let_in_before_it_opened_does_not_close_it() -> None:
    one = breaker(StillClock())
    feed(one, unreadable=50)
    one.record(False)
    assert one.state == "open"


def test_opening_is_said_once_and_without_any_payload(caplog: pytest.LogCaptureFixture) -> None:
    clock = StillClock()
    one = breaker(clock)
    feed(one, unreadable=60)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "intake of helpdesk stopped: 50 of its last 50 deliveries could not be read" in errors[0].getMessage()


def test_memory_is_bounded_however_much_comes() -> None:
    one = breaker(StillClock())
    feed(one, unreadable=0, readable=10_000)
    assert len(one._latest) <= 1000
