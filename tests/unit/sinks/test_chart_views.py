"""The chart views against the formulas they are written from."""

from __future__ import annotations

import pytest

from sinks.clickhouse.audiences import QUALITY
from sinks.clickhouse.chart_views import CHART_VIEWS
from sinks.clickhouse.quality_views import create_view
from tests.unit.sinks.test_views import newest_views


@pytest.mark.parametrize("view", CHART_VIEWS)
def test_the_newest_migration_of_a_view_is_written_from_todays_formulas(view: str) -> None:
    """After a release: add a migration with the new text, never edit the old one."""
    assert newest_views()[view] == create_view(view, CHART_VIEWS[view])


def test_chart_views_are_for_everybody_and_asked_for_a_period() -> None:
    assert all(QUALITY[view].takes_period for view in CHART_VIEWS)
