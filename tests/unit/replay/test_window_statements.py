"""What makes windows equal to the last bit."""

from __future__ import annotations

from datetime import date

from sinks.clickhouse.windows_sql import UNCOMPILED, Window, reaggregate, reaggregate_quarter


def test_sums_are_never_left_to_compiled_code() -> None:
    window = Window("live", "p", "", "a", "b", "timeliness", "explicit", "week", date(2026, 1, 5))
    for statement in (reaggregate([window], "2026-01-01 00:00:00"), reaggregate_quarter()):
        assert statement.endswith(f"SETTINGS {UNCOMPILED}")
