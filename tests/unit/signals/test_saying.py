"""A signal is said once while it lasts, ends once, and has one id whoever says it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.signal import Finding, Signal
from streams.apps.signals.saying import closed_signals, new_signals, newest
from tests.unit.signals.findings import NOW, at, doubtful, ended, overdue, said, shifted

DAY = timedelta(days=1)


def fresh(*findings: Finding, opened: list[Signal] | None = None, earlier: list[Signal] | None = None) -> list[Signal]:
    known = {signal.subject: signal for signal in opened or []}
    return new_signals("live", findings, known, newest(earlier or []), lambda finding: False, NOW)


def test_what_is_so_and_was_not_said_is_said_with_both_times() -> None:
    (signal,) = fresh(overdue())
    assert (signal.state, signal.at, signal.opened_at, signal.said_at) == ("opened", at(-10), NOW, NOW)
    assert signal.closed_at is None


def test_what_is_open_is_not_said_again() -> None:
    assert fresh(overdue(), opened=[said(overdue(), -5)]) == []


def test_the_same_finding_twice_is_one_signal() -> None:
    assert len(fresh(overdue(), overdue(), overdue("w2"))) == 2


def test_an_id_does_not_depend_on_who_says_it_or_when() -> None:
    assert overdue().signal_id("live") == overdue(at=at(99), urgency="routine").signal_id("live")
    assert overdue().signal_id("live") != overdue().signal_id("replay")


def test_ids_of_different_subjects_differ_also_where_their_texts_joined_are_alike() -> None:
    one, other = overdue(process="a", work_item="bc"), overdue(process="ab", work_item="c")
    findings = [overdue(), overdue("w2"), one, other, shifted(), shifted(dimension="accuracy"), doubtful()]
    assert len({finding.signal_id("live") for finding in findings}) == len(findings)


def test_a_tie_that_shifts_in_another_period_is_another_signal() -> None:
    assert shifted().signal_id("live") != shifted(at=NOW).signal_id("live")


def test_a_check_of_data_is_one_signal_while_it_fails_and_another_one_on_another_day() -> None:
    later = doubtful(at=NOW + DAY)
    assert fresh(later, opened=[said(doubtful())]) == []
    assert doubtful().signal_id("live") != later.signal_id("live")
    assert doubtful().signal_id("live") == doubtful(at=at(5)).signal_id("live")


def test_what_is_so_again_is_the_same_signal_opened_when_it_was_first_said() -> None:
    before = ended(said(overdue(), -60), -30)
    (again,) = fresh(overdue(), earlier=[before])
    assert (again.signal, again.opened_at, again.said_at) == (before.signal, at(-60), NOW)


def test_what_is_no_longer_so_has_ended_when_the_store_says_it_did() -> None:
    one, two, three = (said(overdue(item), -60) for item in ("w1", "w2", "w3"))
    closing = closed_signals([one, two, three], [], {one.signal: at(-3), two.signal: None}, NOW)
    assert [(signal.signal, signal.state, signal.closed_at, signal.said_at) for signal in closing] == [
        (one.signal, "closed", at(-3), NOW),
        (three.signal, "closed", NOW, NOW),
    ]


def test_what_is_still_so_does_not_end() -> None:
    assert closed_signals([said(overdue())], [overdue()], {}, NOW) == []


@given(st.permutations([0, 1, 2, 3]))
def test_the_record_that_was_said_last_counts_in_whatever_order_they_come(order: list[int]) -> None:
    opened = said(overdue(), -60)
    records = [opened, ended(opened, -30), said(overdue(), -60, said_at=at(-20)), ended(opened, -10)]
    assert newest([records[place] for place in order])[opened.signal].said_at == at(-10)


@given(st.integers(-100, 100))
def test_the_end_is_said_after_the_beginning_also_by_a_clock_that_went_back(minutes: int) -> None:
    signal = said(overdue())
    (closing,) = closed_signals([signal], [], {}, at(minutes))
    assert closing.said_at > signal.said_at
    (again,) = new_signals("live", [overdue()], {}, {signal.signal: closing}, lambda finding: False, at(minutes))
    assert again.said_at > closing.said_at


def test_a_signal_survives_json() -> None:
    signal = said(overdue())
    assert Signal.model_validate_json(signal.model_dump_json()) == signal
