"""CSV for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest

from deploy.csv_text import csv_text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_from_outside_is_no_formula(text: str) -> None:
    assert list(csv.reader(io.StringIO(csv_text(["role"], [[text]]), newline="")))[1][0].startswith("'")


def test_a_carriage_return_begins_no_line() -> None:
    assert csv_text(["role"], [["nurse\r=1+1"]]) == "role\nnurse =1+1\n"


def test_everything_else_stands_as_it_is() -> None:
    assert csv_text(["a", "b", "c"], [[None, -1.5, 'x,"y"'], ["", 0, "a=b"]]) == 'a,b,c\n,-1.5,"x,""y"""\n,0,a=b\n'
