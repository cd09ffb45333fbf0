"""docs/security.md: what is said to stand against each threat is looked at by a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def named(row: list[str]) -> list[tuple[str, str]]:
    """(file below tests/, test; empty: all of them) of a row."""
    return re.findall(r"`([\w/]+\.py)(?:: (\w+))?`", row[-1])


def test_threats_are_numbered_without_a_gap() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, len(ROWS) + 1))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_threat_has_a_test_that_exists(row: list[str]) -> None:
    assert named(row)
    for file, test in named(row):
        text = (ROOT / "tests" / file).read_text()
        assert re.search(rf"def {test}\(" if test else r"def test_", text), (file, test)
