"""What the store says, understood."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploy.board.store import Answer, Busy, Refused, _answer, _fault
from deploy.dashboards.panel import Column, text

COLUMNS = (Column("at", "time"), Column("n", "count"), Column("share", "share"), Column("on", "flag"), text("role"))


def test_rows_are_typed_as_their_columns_say() -> None:
    names = tuple(column.name for column in COLUMNS)
    answer = Answer(names, (("2026-11-23T07:00:00Z", "18446744073709551615", 0, 1, "nurse"), (None,) * 5))
    first, second = answer.typed(COLUMNS)
    assert first == {
        "at": datetime(2026, 11, 23, 7, tzinfo=UTC),
        "n": 2**64 - 1,
        "share": 0.0,
        "on": True,
        "role": "nurse",
    }
    assert set(second.values()) == {None}


def test_columns_are_found_by_name() -> None:
    assert Answer(("b", "a"), ((1, 2),)).typed([Column("a", "count")]) == [{"a": 2}]


def test_missing_column_is_named() -> None:
    with pytest.raises(Refused, match="no column n"):
        Answer(("m",), ()).typed([Column("n", "count")])


def test_time_without_a_zone_is_utc() -> None:
    (row,) = Answer(("at",), (("2026-11-23 07:00:00",),)).typed([Column("at", "time")])
    assert row["at"] == datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_answer_that_breaks_off_is_refused() -> None:
    with pytest.raises(Refused, match="broke off"):
        _answer(b'{"meta": [{"name": "n"}], "data": [[1', 0.0)


@pytest.mark.parametrize(
    ("status", "said", "kind", "words"),
    [
        (404, "Code: 60. DB::Exception: Unknown table ties secret", Refused, "does not have this view"),
        (500, "Code: 159. DB::Exception: Timeout exceeded", Refused, "longer than"),
        (403, "Code: 497. DB::Exception: reader: Not enough privileges", Refused, "may not read"),
        (503, "Code: 202. DB::Exception: Too many", Busy, "busy"),
        (502, "<html>Bad gateway</html>", Busy, "busy"),
        (400, "nonsense", Refused, "400"),
    ],
)
def test_fault_says_what_people_can_do_and_repeats_nothing(
    status: int, said: str, kind: type[Exception], words: str
) -> None:
    fault = _fault(status, said)
    assert type(fault) is kind
    assert words in str(fault)
    assert "secret" not in str(fault)
