"""Buckets and rooms: what is taken on is bounded, and nothing is lost when something does not fit."""

from __future__ import annotations

import pytest

from streams.gateway.limits import Bucket, Room, TooBusy
from tests.unit.gateway.gateways import StillClock


def test_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    clock = StillClock()
    bucket = Bucket(2.0, 3, clock.seconds)
    for _ in range(3):
        bucket.take()
    with pytest.raises(TooBusy) as busy:
        bucket.take()
    assert (busy.value.code, busy.value.retry_after_s) == ("rate_limited", 0.5)
    clock.elapsed_s = 0.5
    bucket.take()


def test_bucket_never_holds_more_than_its_burst() -> None:
    clock = StillClock()
    bucket = Bucket(10.0, 2, clock.seconds)
    clock.elapsed_s = 1000.0
    bucket.take()
    bucket.take()
    with pytest.raises(TooBusy):
        bucket.take()


def test_bucket_without_a_rate_is_never_empty() -> None:
    bucket = Bucket(0.0, 1, StillClock().seconds)
    for _ in range(1000):
        bucket.take()


def test_room_is_given_back_however_a_guest_leaves() -> None:
    room = Room(100)

    def crowd() -> None:
        with room.guest() as guest, room.guest() as other:
            guest.grow(80)
            other.grow(80)

    with pytest.raises(TooBusy):
        crowd()
    assert room.bytes == 0


def test_room_takes_nothing_that_does_not_fit() -> None:
    room = Room(100)
    with room.guest() as first, room.guest() as second:
        first.grow(60)
        with pytest.raises(TooBusy):
            second.grow(50)
        second.grow(40)
        assert room.bytes == 100


def test_guest_that_grows_to_less_stays_as_large_as_it_was() -> None:
    room = Room(100)
    with room.guest() as guest:
        guest.grow(50)
        guest.grow(20)
        assert room.bytes == 50


def test_body_larger_than_the_room_fits_when_the_room_is_empty() -> None:
    room = Room(10)
    with room.guest() as guest:
        guest.grow(50)
        assert room.bytes == 50
