"""A survey on its way through a running instance, and a report of it, also when nothing runs any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.embedded.tieline import run, tieline, up

SURVEY = """\
rater_role,rated_role,dimension,mean,n
ED RN,ward-nurse,timeliness,3.9,14
ed-nurse,ward-nurse,mutual respect,3.4,14
ward-nurse,ed-nurse,timeliness,1.23,4
"""


@pytest.mark.slow
def test_a_survey_takes_the_way_of_all_events_and_is_in_the_report(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "survey.csv"
    file.write_text(SURVEY)
    asked = ("--process", "ed-to-ward", "--survey", "spring", "--at", "2026-03-15", "--yes", "--data", str(data))
    with up(data):
        assert "1 means of fewer than 5 raters, in lines 4" in tieline("survey", "import", str(file), *asked)
        file.write_text(SURVEY.replace("3.9", "4.9"))
        refused = run("survey", "import", str(file), *asked)
        assert refused.returncode == 1
        assert "is there already" in refused.stderr
    period = ("--from", "2026-01-01", "--to", "2026-04-01", "--process", "ed-to-ward")
    tieline("report", *period, "--data", str(data), "--out", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert "3.90 (" in page
    assert "from the survey alone" in page
    assert "4.90 (" not in page
    assert "1.23 (" not in page
