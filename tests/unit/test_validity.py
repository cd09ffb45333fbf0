"""The studies of validity run, and the page is what their committed figures say."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.validity.catalogue import STUDIES, written
from benchmarks.validity.charts import CHARTS, LENGTH, RULES
from benchmarks.validity.coverage import COVERAGE
from benchmarks.validity.page import PAGE, PICTURES, draw, read, write_figures
from benchmarks.validity.study import Study, Verdict, table
from sinks.clickhouse.expected_alarms import OF_SHARES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures and pictures of one tiny run of everything, in a process of its own: threads are set before numpy."""
    folder = tmp_path_factory.mktemp("validity")
    done = run("--quick", "--out", str(folder))
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.validity", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_tiny_run_gives_figures_a_section_and_pictures(study: Study, tiny: Path, tmp_path: Path) -> None:
    found = json.loads((tiny / f"{study.name}.json").read_text())
    assert all(isinstance(verdict, Verdict) and verdict.found for verdict in study.verdicts(found))
    assert "{" not in study.section(found)
    draw(study, found, tmp_path)
    for name in study.drawings:
        assert (tmp_path / name).read_bytes() == (tiny / name).read_bytes(), "the same figures draw the same picture"


def test_the_page_is_what_the_committed_figures_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == written()


def test_every_picture_of_the_page_is_there() -> None:
    for study in STUDIES:
        assert all((PICTURES / name).is_file() for name in study.drawings)


def test_the_false_alarms_that_were_compared_are_those_that_views_state() -> None:
    stated = read(CHARTS)["stated"]
    for start, shares in stated.items():
        assert shares == {rule: OF_SHARES[rules][start][LENGTH] for rule, rules in RULES.items()}, "run the study again"


def test_both_pages_of_coverage_count_the_same_cells() -> None:
    grid = (ROOT / "docs" / "method" / "coverage.md").read_text(encoding="utf-8")
    for verdict, promise in zip(COVERAGE.verdicts(read(COVERAGE)), ("88 to 92 %", "at least 85 %"), strict=False):
        inside, cells = re.findall(r"\d+", verdict.found)[:2]
        assert re.search(rf"\| published \| {promise}[^|]*\| {cells} \| {inside} \|", grid), promise


def test_quick_figures_stay_out_of_the_documents() -> None:
    assert run("--quick").returncode == 2


def test_figures_hold_no_number_that_json_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_figures(STUDIES[0], {"share": math.nan}, tmp_path)


def test_a_table_has_a_ruler_under_its_head() -> None:
    assert table(["a", "b"], [["x", "1"]]).splitlines() == ["| a | b |", "| --- | --: |", "| x | 1 |"]
