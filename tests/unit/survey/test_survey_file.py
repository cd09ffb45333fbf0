"""A survey's file: what is taken, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.gateway.survey_import import SurveyUnusable, read_survey
from streams.gateway.survey_import.survey_file import MAX_BYTES, MAX_ROWS

HEADER = "rater_role,rated_role,dimension,mean,n\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "survey.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(SurveyUnusable) as refused:
        read_survey(written(folder, text))
    return str(refused.value)


def test_a_line_is_what_one_role_says_of_another(tmp_path: Path) -> None:
    (row,) = read_survey(written(tmp_path, HEADER + "ward nurse,ed-nurse,timeliness,3.25,12\n"))
    assert row == (2, "ward nurse", "ed-nurse", "timeliness", 3.25, 12, "")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + "a,b,shared_goals,4.5,7",
        "rater_role;rated_role;dimension;mean;n\r\na;b;Shared goals;4,5;7\r\n",
        "N\tMean\tDimension\tRated role\tRater role\n7\t4.5\tshared-goals\tb\ta\n",
        '"rater_role"|"rated_role"|"dimension"|"mean"|"n"\n\n"a"|"b"|"shared_goals"|"4.5"|"7"\n',
    ],
)
def test_what_spreadsheets_save_is_taken(tmp_path: Path, text: str) -> None:
    (row,) = read_survey(written(tmp_path, text))
    assert row[1:] == ("a", "b", "shared_goals", 4.5, 7, "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,b,timeliness,NaN,9", "mean"),
        ("a,b,timeliness,inf,9", "mean"),
        ("a,b,timeliness,0.99,9", "mean"),
        ("a,b,timeliness,5.01,9", "mean"),
        ("a,b,timeliness,1e0,9", "mean"),
        ("a,b,timeliness,٣,9", "mean"),
        ("a,b,timeliness,=4,9", "mean"),
        ("a,b,timeliness,,9", "mean"),
        ("a,b,timeliness,4,0", "n:"),
        ("a,b,timeliness,4,-9", "n:"),
        ("a,b,timeliness,4,9.5", "n:"),
        ("a,b,timeliness,4,9999999999", "n:"),
        ("a,b,trust,4,9", "dimension"),
        ("=HYPERLINK(1),b,timeliness,4,9", "rater_role: begins with"),
        ("a,@b,timeliness,4,9", "rated_role: begins with"),
        (",b,timeliness,4,9", "rater_role: empty"),
        (f"{'a' * 129},b,timeliness,4,9", "rater_role: empty, longer"),
        ("a\x07,b,timeliness,4,9", "rater_role: empty, longer than 128 characters, or with control"),
        ("a,b,timeliness,4", "4 cells under 5 columns"),
        ("a,b,timeliness,4,9,x", "6 cells under 5 columns"),
        ('a,"b,timeliness,4,9', "quotation mark"),
    ],
)
def test_a_line_that_is_no_result_is_named_without_its_value(tmp_path: Path, line: str, said: str) -> None:
    message = refusal(tmp_path, HEADER + "x,y,accuracy,2,9\n" + line + "\n")
    assert "line 3: " in message
    assert said in message
    assert not any(cell in message for cell in line.split(",") if len(cell) > 10)


def test_unknown_columns_are_named_and_their_values_never(tmp_path: Path) -> None:
    message = refusal(tmp_path, HEADER.strip() + ",respondent\na,b,timeliness,4,9,Jane Doe\n")
    assert "'respondent'" in message
    assert "Jane" not in message


def test_a_first_line_that_may_be_data_is_not_repeated(tmp_path: Path) -> None:
    message = refusal(tmp_path, "Jane Doe,ward,timeliness,4,9\n")
    assert "there is no column rater_role" in message
    assert "Jane" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "there is no column"),
        (HEADER, "no line after the header"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode() + b"caf\xe9,b,timeliness,4,9", "UTF-8"),
        (HEADER.encode() + b"a\0,b,timeliness,4,9", "null characters"),
        (b"x" * (MAX_BYTES + 1), "more than 1 MiB"),
        (b"rater_role," + HEADER.encode(), "there twice"),
        (b'"' + b"a" * 200_000 + b",", "line 1"),
        (HEADER + "a,b,timeliness,4,9\n" * (MAX_ROWS + 1), f"more than {MAX_ROWS:,} lines"),
    ],
)
def test_a_file_that_is_no_survey_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_every_problem_is_told_at_once_up_to_a_limit(tmp_path: Path) -> None:
    message = refusal(tmp_path, HEADER + "a,b,timeliness,9,9\n" * 30)
    assert message.count("line ") == 20
    assert "and 10 more" in message
