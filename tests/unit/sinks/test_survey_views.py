"""Views of surveys against the formulas they are written from."""

from __future__ import annotations

import pytest

from sinks.clickhouse.quality_views import create_view
from sinks.clickhouse.survey_views import SURVEY_VIEWS
from tests.unit.sinks.test_views import newest_views


@pytest.mark.parametrize("view", SURVEY_VIEWS)
def test_the_newest_migration_of_a_view_is_written_from_todays_formulas(view: str) -> None:
    """After a release: add a migration with the new text, never edit the old one."""
    assert newest_views()[view] == create_view(view, SURVEY_VIEWS[view])


def test_a_survey_is_held_against_the_ties_that_everybody_sees() -> None:
    """All of `ties` but what it is asked about."""
    assert "survey_from AS asked_from" in SURVEY_VIEWS["survey_beside_proxy"]
    assert "FROM tie_windows" in SURVEY_VIEWS["survey_beside_proxy"]
