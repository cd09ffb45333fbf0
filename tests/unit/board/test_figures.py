"""How values are written for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deploy.board.figures import cell, duration, moment, size, written
from deploy.dashboards.panel import Column


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (34.4, "34 s"),
        (59.6, "1 min"),
        (720, "12 min"),
        (3_600, "1 h 00 min"),
        (11_100, "3 h 05 min"),
        (367_200, "4 d 6 h"),
        (-90, "−1 min"),
        (-0.2, "0 s"),
    ],
)
def test_duration_is_written_in_the_units_people_use(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(90.0, "1 min"), (-720.0, "12 min ago")])
def test_due_time_that_has_passed_is_said_to_have_passed(seconds: float, said: str) -> None:
    assert written(Column("due_in_s", "seconds"), seconds) == said


@pytest.mark.parametrize(("count", "said"), [(12, "12 B"), (2_048, "2.0 KiB"), (5 * 1024**3, "5.0 GiB")])
def test_size_has_a_fitting_unit(count: float, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_missing_value_is_never_a_figure(missing: float | None) -> None:
    assert written(Column("estimate", "share", nullable=True, when_null="not observed"), missing) == "not observed"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (Column("n", "count"), 12_345, "12,345"),
        (Column("share", "share"), 0.8333, "0.83"),
        (Column("share", "share", decimals=1), 0.8333, "0.8"),
        (Column("x", "number"), 12.0, "12"),
        (Column("x", "number", decimals=1), 12.0, "12.0"),
        (Column("x", "number", decimals=2), -0.034, "−0.03"),
        (Column("x", "number", decimals=2), -0.001, "0.00"),
        (Column("x", "number"), 1_234_567.0, "1,234,567"),
        (Column("flag", "flag"), 1, "yes"),
        (Column("list", "list"), ["a", "b"], "a, b"),
        (Column("list", "list"), [], "–"),
    ],
)
def test_value_is_written_as_its_kind_says(column: Column, value: object, said: str) -> None:
    assert written(column, value) == said


def test_midnight_is_a_day_and_other_times_say_their_zone() -> None:
    assert moment(datetime(2026, 11, 23, tzinfo=UTC)) == "23 Nov 2026"
    at = datetime(2026, 11, 23, 1, 5, tzinfo=timezone(timedelta(hours=1)))
    assert moment(at) == "23 Nov 2026 00:05 UTC"


def test_time_tells_machines_which_instant_it_is() -> None:
    at = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
    assert 'datetime="2026-11-23T07:05:00Z"' in cell(Column("due_at", "time"), at)


def test_text_of_the_store_is_escaped() -> None:
    assert cell(Column("role", "text"), "<script>") == "&lt;script&gt;"
