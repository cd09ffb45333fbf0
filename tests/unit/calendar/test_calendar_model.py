"""What a calendar in a policy file may say."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from pydantic import ValidationError

from schemas.calendar import Calendar

WARD = """
zone: Europe/Berlin
hours:
  mon: ["13:00-17:00", "08:00-12:00"]
  fri: [22:00-24:00]
  sat: [00:00-06:00]
holidays: [2026-12-25, "2026-12-26"]
"""


def from_yaml(text: str) -> Calendar:
    return Calendar.model_validate(yaml.safe_load(text))


def test_yaml_gives_shifts_in_order_and_dates() -> None:
    ward = from_yaml(WARD)
    assert ward.hours.mon == ("08:00-12:00", "13:00-17:00")
    assert ward.hours.tue == ()
    assert ward.holidays == {date(2026, 12, 25), date(2026, 12, 26)}


def test_json_round_trip_keeps_the_calendar() -> None:
    ward = from_yaml(WARD)
    assert Calendar.model_validate_json(ward.model_dump_json()) == ward


def test_holidays_are_written_in_order() -> None:
    days = [f"2026-{month:02}-{day:02}" for month in range(12, 0, -1) for day in (28, 3, 17)]
    calendar = Calendar.model_validate({"zone": "UTC", "hours": {"mon": ["00:00-24:00"]}, "holidays": days})
    assert calendar.model_dump(mode="json")["holidays"] == sorted(days)


def test_calendars_of_the_same_hours_are_equal_and_hash_alike() -> None:
    assert from_yaml(WARD) == from_yaml(WARD)
    assert hash(from_yaml(WARD)) == hash(from_yaml(WARD))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "localtime", "America", "../etc/passwd", "/etc/localtime", ""])
def test_a_zone_is_an_iana_name(zone: str) -> None:
    with pytest.raises(ValidationError, match="IANA"):
        Calendar.model_validate({"zone": zone, "hours": {"mon": ["08:00-17:00"]}})


@pytest.mark.parametrize("shift", ["8:00-17:00", "08:00-25:00", "08:60-17:00", "24:00-24:00", "08:00", "08:00-17:00\n"])
def test_a_shift_has_two_full_clock_times(shift: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        Calendar.model_validate({"zone": "UTC", "hours": {"mon": [shift]}})


@pytest.mark.parametrize("shift", ["17:00-08:00", "08:00-08:00"])
def test_a_shift_ends_after_it_starts(shift: str) -> None:
    with pytest.raises(ValidationError, match="write a shift over midnight as two"):
        Calendar.model_validate({"zone": "UTC", "hours": {"mon": [shift]}})


def test_shifts_may_touch_but_not_overlap() -> None:
    hours = {"mon": ["08:00-12:00", "12:00-17:00"]}
    assert Calendar.model_validate({"zone": "UTC", "hours": hours}).hours.mon == ("08:00-12:00", "12:00-17:00")
    with pytest.raises(ValidationError, match="overlap"):
        Calendar.model_validate({"zone": "UTC", "hours": {"mon": ["08:00-12:01", "12:00-17:00"]}})


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one open shift"):
        Calendar.model_validate({"zone": "UTC", "hours": {"mon": []}})


@pytest.mark.parametrize("hours", [{"monday": ["08:00-17:00"]}, {"mon": "08:00-17:00"}])
def test_a_misspelt_day_or_a_bare_shift_is_refused(hours: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Calendar.model_validate({"zone": "UTC", "hours": hours})
