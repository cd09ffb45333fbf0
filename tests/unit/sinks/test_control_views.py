"""Control chart views against the formulas they are written from."""

from __future__ import annotations

import pytest

from benchmarks.false_alarms import LENGTHS
from sinks.clickhouse.control_views import CONTROL_VIEWS, FALSE_ALARMS_AFTER_BASELINE, FALSE_ALARMS_FROM_START
from sinks.clickhouse.quality_views import create_view
from tests.unit.sinks.test_views import newest_views


@pytest.mark.parametrize("view", CONTROL_VIEWS)
def test_the_newest_migration_of_a_view_is_written_from_todays_formulas(view: str) -> None:
    """After a release: add a migration with the new text, never edit the old one."""
    assert newest_views()[view] == create_view(view, CONTROL_VIEWS[view])


@pytest.mark.parametrize("table", [FALSE_ALARMS_FROM_START, FALSE_ALARMS_AFTER_BASELINE])
def test_a_longer_chart_is_more_often_wrong(table: dict[int, float]) -> None:
    assert tuple(table) == LENGTHS
    assert list(table.values()) == sorted(table.values())
