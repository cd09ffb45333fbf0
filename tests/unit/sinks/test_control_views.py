"""Control chart views against the formulas they are written from."""

from __future__ import annotations

import pytest

from sinks.clickhouse.control_rules import LENGTHS, Alarms
from sinks.clickhouse.control_views import CONTROL_VIEWS
from sinks.clickhouse.expected_alarms import OF_LATENCIES, OF_SHARES
from sinks.clickhouse.quality_views import create_view
from tests.unit.sinks.test_views import newest_views


@pytest.mark.parametrize("view", CONTROL_VIEWS)
def test_the_newest_migration_of_a_view_is_written_from_todays_formulas(view: str) -> None:
    """After a release: add a migration with the new text, never edit the old one."""
    assert newest_views()[view] == create_view(view, CONTROL_VIEWS[view])


@pytest.mark.parametrize("rules", ["nhs", "limits"])
@pytest.mark.parametrize("alarms", [OF_SHARES, OF_LATENCIES])
def test_a_longer_chart_is_more_often_wrong(alarms: Alarms, rules: str) -> None:
    """Not so by Anhøj's rules: what they allow grows with the chart, in steps."""
    for table in alarms[rules].values():
        assert tuple(table) == LENGTHS
        assert list(table.values()) == sorted(table.values())


@pytest.mark.parametrize("alarms", [OF_SHARES, OF_LATENCIES])
def test_anhoejs_rules_are_seldom_wrong_at_any_length(alarms: Alarms) -> None:
    for table in alarms["anhoej"].values():
        assert tuple(table) == LENGTHS
        assert all(0 <= share < 0.12 for share in table.values())
