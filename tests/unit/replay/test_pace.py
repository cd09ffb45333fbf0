"""Keeping a rate, on a clock that only sleeping moves."""

from __future__ import annotations

import pytest

from streams.replay.pace import Pace


class Watch:
    def __init__(self) -> None:
        self.now_s = 100.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_no_rate_never_sleeps() -> None:
    watch = Watch()
    Pace(0, lambda: watch.now_s, watch.sleep).passed(10**9)
    assert watch.now_s == 100.0


@pytest.mark.parametrize("step", [1, 7, 500])
def test_the_rate_is_kept_however_large_the_steps(step: int) -> None:
    watch = Watch()
    pace = Pace(100, lambda: watch.now_s, watch.sleep)
    for _ in range(5_000 // step):
        pace.passed(step)
    assert watch.now_s - 100.0 == pytest.approx(5_000 // step * step / 100)


def test_what_a_pause_left_unused_is_worth_a_second_at_most() -> None:
    watch = Watch()
    pace = Pace(10, lambda: watch.now_s, watch.sleep)
    watch.now_s += 3600
    before_s = watch.now_s
    pace.passed(110)
    assert watch.now_s - before_s == pytest.approx(10.0)
