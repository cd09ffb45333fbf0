"""Times of a log, read as the mapping says."""

from __future__ import annotations

from collections import Counter

import pytest

from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.mapping import TimeRef
from streams.gateway.log_import.times import TimeReader

BRUSSELS = "Europe/Brussels"


def read(text: str, **spec: str) -> str:
    return TimeReader(TimeRef(**spec), Counter()).read(text).isoformat()  # type: ignore[arg-type]


def refused(text: str, **spec: str) -> str:
    with pytest.raises(UnusableRow) as caught:
        read(text, **spec)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "spec", "instant"),
    [
        ("2012-10-09T14:50:17+02:00", {}, "2012-10-09T12:50:17+00:00"),
        ("2012-10-09T14:50:17.123Z", {}, "2012-10-09T14:50:17.123000+00:00"),
        ("2012-10-09T14:50:17.123456789Z", {}, "2012-10-09T14:50:17.123456+00:00"),
        (" 2012-10-09 14:50:17Z\n", {}, "2012-10-09T14:50:17+00:00"),
        ("2012-10-09 14:50", {"zone": BRUSSELS}, "2012-10-09T12:50:00+00:00"),
        ("2012-10-09 14:50Z", {"zone": BRUSSELS}, "2012-10-09T14:50:00+00:00"),
        ("9/10/2012 14:50", {"format": "%d/%m/%Y %H:%M", "zone": "UTC"}, "2012-10-09T14:50:00+00:00"),
        ("09.10.12 14:50 +0530", {"format": "%d.%m.%y %H:%M %z"}, "2012-10-09T09:20:00+00:00"),
        ("1349794217", {"format": "epoch_s"}, "2012-10-09T14:50:17+00:00"),
        ("1349794217.000001", {"format": "epoch_s"}, "2012-10-09T14:50:17.000001+00:00"),
        ("1349794217123", {"format": "epoch_ms"}, "2012-10-09T14:50:17.123000+00:00"),
    ],
)
def test_formats(text: str, spec: dict[str, str], instant: str) -> None:
    assert read(text, **spec) == instant


@pytest.mark.parametrize(
    ("text", "spec", "code"),
    [
        ("", {}, "no_time"),
        ("  ", {}, "no_time"),
        ("yesterday", {}, "bad_time"),
        ("2012-02-30T00:00:00Z", {}, "bad_time"),
        ("2012-10-09T14:50:17" + "0" * 100, {}, "bad_time"),
        ("2012-10-09T14:50:17", {}, "time_without_zone"),
        ("1969-12-31T23:59:59Z", {}, "time_out_of_range"),
        ("2200-01-01T00:00:00Z", {}, "time_out_of_range"),
        ("0001-01-01T00:00:00+14:00", {}, "bad_time"),
        ("-1", {"format": "epoch_s"}, "bad_time"),
        ("1e99999", {"format": "epoch_s"}, "bad_time"),
        ("٣", {"format": "epoch_s"}, "bad_time"),
        ("99999999999", {"format": "epoch_s"}, "time_out_of_range"),
        ("13494217.5", {"format": "epoch_ms"}, "bad_time"),
    ],
)
def test_unreadable_times_have_a_code(text: str, spec: dict[str, str], code: str) -> None:
    assert refused(text, **spec) == code


@pytest.mark.parametrize(("choice", "utc"), [("earlier", "00:30"), ("later", "01:30")])
def test_local_time_that_occurs_twice_is_the_chosen_one(choice: str, utc: str) -> None:
    notes: Counter[str] = Counter()
    reader = TimeReader(TimeRef(zone=BRUSSELS, ambiguous=choice), notes)  # type: ignore[arg-type]
    assert reader.read("2025-10-26 02:30").isoformat() == f"2025-10-26T{utc}:00+00:00"
    assert notes == {"ambiguous_local_time": 1}


def test_local_time_that_never_was_moves_forward_by_the_jump() -> None:
    notes: Counter[str] = Counter()
    moved = TimeReader(TimeRef(zone=BRUSSELS), notes).read("2025-03-30 02:30")
    assert moved.isoformat() == "2025-03-30T01:30:00+00:00"  # 03:30 in summer time
    assert notes == {"nonexistent_local_time": 1}


def test_doubtful_local_times_can_be_skipped() -> None:
    assert refused("2025-10-26 02:30", zone=BRUSSELS, ambiguous="skip") == "ambiguous_local_time"
    assert refused("2025-03-30 02:30", zone=BRUSSELS, nonexistent="skip") == "nonexistent_local_time"


@pytest.mark.parametrize("text", ["2025-10-26 01:59:59", "2025-10-26 03:00", "2025-03-30 01:59:59", "2025-03-30 03:00"])
def test_times_beside_a_change_of_clocks_are_in_no_doubt(text: str) -> None:
    notes: Counter[str] = Counter()
    TimeReader(TimeRef(zone=BRUSSELS), notes).read(text)
    assert not notes
