"""Whether we may still believe that we are a member."""

from __future__ import annotations

from dataclasses import dataclass

from streams.transport.membership import Membership


@dataclass
class Clock:
    """Seconds, moved by hand."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_no_member_before_the_broker_said_so() -> None:
    assert not Membership(4.0, Clock()).is_fresh()


def test_fresh_until_the_session_timeout_after_sending() -> None:
    clock = Clock()
    membership = Membership(4.0, clock)
    membership.confirmed(clock.now_s)
    clock.now_s += 3.9
    assert membership.is_fresh()
    clock.now_s += 0.1
    assert not membership.is_fresh()
    assert membership.age_s() is not None


def test_answer_that_took_longer_than_the_session_confirms_nothing() -> None:
    clock = Clock()
    membership = Membership(4.0, clock)
    sent_at_s = clock.now_s
    clock.now_s += 5
    membership.confirmed(sent_at_s)
    assert not membership.is_fresh()


def test_lost_membership_is_not_fresh() -> None:
    clock = Clock()
    membership = Membership(4.0, clock)
    membership.confirmed(clock.now_s)
    membership.lost()
    assert not membership.is_fresh()
    assert membership.age_s() is None
