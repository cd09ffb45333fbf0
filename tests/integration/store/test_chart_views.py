"""The chart views against a plain reading of the publishable atoms."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.rows import EvidenceRow
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import RunRecord
from streams.inference.atoms import AtomKey, atoms, publishable
from tests.integration.store.rows import START, actor, declare, evidence, policies, random_evidence
from tests.integration.store.test_ties import YEAR, load, select
from tests.unit.sinks.answer_curves import Point, answer_curve, bin_end_s, bin_of, kaplan_meier

TIE = ("process", "communicator_role", "experiencer_role", "origin")
NOW = START + timedelta(days=120)


def pinned(client: Client, as_of: datetime = NOW) -> None:
    """A run that looks at everything from one instant."""
    record = RunRecord(run="live", kind="live", status="running", method_version="1", started_at=START, as_of=as_of)
    insert_rows(client, "runs", [record.model_dump_json().encode()])


def shown(rows: list[EvidenceRow]) -> list[EvidenceRow]:
    """The ripe evidence of publishable atoms."""
    kept = {key for key, atom in atoms(rows).items() if publishable(atom, policies()[key.process].publish)}
    return [row for row in rows if row.ripe and AtomKey(*(getattr(row, field) for field in AtomKey._fields)) in kept]


def handoffs(rows: list[EvidenceRow]) -> dict[tuple[str, ...], list[EvidenceRow]]:
    found: dict[tuple[str, ...], list[EvidenceRow]] = defaultdict(list)
    for row in shown(rows):
        if row.rule == "handoff_acceptance":
            found[tuple(getattr(row, field) for field in TIE)].append(row)
    return found


def by_tie(rows: list[dict[str, Any]]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    found: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[tuple(row[field] for field in TIE)].append(row)
    return found


def followed(row: EvidenceRow) -> tuple[float, bool]:
    """Seconds until an answer, or until it was last known to be unanswered."""
    return (row.waited_s if row.waited_s is not None else (NOW - row.at).total_seconds(), row.answered)


@pytest.fixture
def written(client: Client) -> list[EvidenceRow]:
    rows = random_evidence(31, rows=6000)
    declare(client)
    pinned(client)
    load(client, rows)
    return rows


def test_answers_are_the_binned_kaplan_meier_curve(client: Client, written: list[EvidenceRow]) -> None:
    found, expected = by_tie(select(client, "tie_answers")), handoffs(written)
    assert found.keys() == expected.keys()
    assert expected
    for tie, rows in found.items():
        curve = answer_curve([followed(row) for row in expected[tie]])
        points = [Point(*(row[field] for field in Point._fields)) for row in rows]
        assert list(chain(*points)) == pytest.approx(list(chain(*curve)), abs=1e-9)
        assert {row["n"] for row in rows} == {len(expected[tie])}


def test_a_curve_lies_within_a_bin_of_the_exact_one(client: Client, written: list[EvidenceRow]) -> None:
    """Who is lost from sight within a bin is at risk in all of it, so that the curve may lie a little lower."""
    expected, lower = handoffs(written), []
    for tie, rows in by_tie(select(client, "tie_answers")).items():
        times = [followed(row) for row in expected[tie]]
        for before, point in pairwise(rows):
            assert point["answered"] <= kaplan_meier(times, math.nextafter(point["waited_s"], 0.0)) + 1e-9
            lower.append(kaplan_meier(times, before["waited_s"]) - point["answered"])
    assert max(lower) < 0.05


def test_without_censoring_the_curve_is_the_share_answered(client: Client) -> None:
    declare(client)
    rng = random.Random(3)
    times = [round(rng.lognormvariate(6, 1.5), 6) for _ in range(50)]
    load(client, crowd([(time, True) for time in times]))
    for row in select(client, "tie_answers"):
        assert row["answered"] == pytest.approx(sum(time < row["waited_s"] for time in times) / 50)


def test_a_curve_begins_with_nothing_and_only_rises(client: Client, written: list[EvidenceRow]) -> None:
    for rows in by_tie(select(client, "tie_answers")).values():
        assert (rows[0]["waited_s"], rows[0]["answered"], rows[0]["high"]) == (0, 0, 0)
        for one, next_ in pairwise(rows):
            assert one["waited_s"] < next_["waited_s"]
            assert one["answered"] <= next_["answered"]
            assert one["at_risk"] >= next_["at_risk"]
        assert all(row["low"] <= row["answered"] <= row["high"] for row in rows)


def crowd(times: Sequence[tuple[float | None, bool]], **fields: Any) -> list[EvidenceRow]:
    """Handoffs of enough people, one for each (waited_s, answered)."""
    given = {"rule": "handoff_acceptance", **fields}
    return [
        evidence(
            f"w{number}",
            communicator_actors=(actor(number % 6),),
            experiencer_actors=(actor(100 + number % 6),),
            waited_s=waited_s,
            answered=answered,
            **given,
        )
        for number, (waited_s, answered) in enumerate(times)
    ]


def answered_by(client: Client, seconds: float) -> float:
    """The share answered when the bin in which that many seconds lie is over."""
    rows = select(client, "tie_answers")
    return float(next(row["answered"] for row in rows if row["waited_s"] > seconds))


def test_the_unanswered_are_counted_and_not_dropped(client: Client) -> None:
    declare(client)
    load(client, crowd([(100.0, True)] * 6 + [(4000.0, False)] * 6))
    assert answered_by(client, 100) == pytest.approx(0.5)
    assert answered_by(client, 4000) == pytest.approx(0.5)


def test_an_answer_after_others_were_lost_weighs_more(client: Client) -> None:
    declare(client)
    load(client, crowd([(100.0, True)] * 6 + [(1000.0, False)] * 3 + [(9000.0, True)] * 3))
    assert answered_by(client, 9000) == pytest.approx(1.0)
    (last,) = [row for row in select(client, "tie_answers") if row["waited_s"] > 9000]
    assert 0 < last["low"] < last["high"] == 1.0


def test_what_is_still_open_waits_until_the_run_looks(client: Client) -> None:
    declare(client)
    pinned(client, START + timedelta(seconds=4000))
    load(client, crowd([(100.0, True)] * 6 + [(None, False)] * 6))
    rows = select(client, "tie_answers")
    assert rows[-1]["waited_s"] == pytest.approx(bin_end_s(bin_of(4000)))
    assert (rows[-1]["at_risk"], rows[-1]["answered"]) == (6, pytest.approx(0.5))


def test_without_an_as_of_it_waits_until_now(client: Client) -> None:
    declare(client)
    load(client, crowd([(100.0, True)] * 6 + [(None, False)] * 6))
    waited = (datetime.now(UTC) - START).total_seconds()
    assert select(client, "tie_answers")[-1]["waited_s"] == pytest.approx(bin_end_s(bin_of(waited)))


def test_at_due_the_curve_says_what_the_figure_says(client: Client) -> None:
    """Nothing is lost from sight before due, so that the share answered by then is that of the evidence."""
    declare(client)
    rng = random.Random(5)
    due = bin_end_s(20)
    times = [(round(rng.expovariate(1 / due), 6), True) for _ in range(60)]
    rows = [
        row.model_copy(update={"value": float((row.waited_s or 0) < due)}) for row in crowd([*times, (due + 9, False)])
    ]
    load(client, rows)
    (figure,) = select(client, "tie_periods")
    assert answered_by(client, due * 0.99) == pytest.approx(figure["value"])


def test_marks_count_the_reasons_of_every_dimension(client: Client, written: list[EvidenceRow]) -> None:
    times: Counter[tuple[str, ...]] = Counter()
    observed: Counter[tuple[str, ...]] = Counter()
    for row in shown(written):
        pair = (row.communicator_role, row.experiencer_role)
        for a, b in {pair, pair[::-1]} if row.dimension == "frequency" else {pair}:
            key = (row.process, a, b, row.dimension, row.origin)
            observed[key] += 1
            times.update((*key, mark) for mark in row.marks)
    names = ("process", "communicator_role", "experiencer_role", "dimension", "origin", "mark")
    found = {tuple(row[name] for name in names): (row["n"], row["of"]) for row in select(client, "tie_marks")}
    assert found == {key: (count, observed[key[:5]]) for key, count in times.items()}
    assert {key[3] for key in found} == {"frequency", "timeliness", "accuracy", "problem_solving"}


def test_hours_count_the_handoffs_of_a_process(client: Client, written: list[EvidenceRow]) -> None:
    expected = Counter(
        (row.process, row.origin, row.hour_of_week // 24 + 1, row.hour_of_week % 24)
        for rows in handoffs(written).values()
        for row in rows
    )
    found = {
        (row["process"], row["origin"], row["day"], row["hour"]): row["handoffs"] for row in select(client, "tie_hours")
    }
    assert found == expected


def test_flow_is_the_time_held_of_all_time_of_those_handed_on(client: Client, written: list[EvidenceRow]) -> None:
    expected: dict[Any, list[tuple[float, float]]] = defaultdict(list)
    for tie, rows in handoffs(written).items():
        for handoff in rows:
            if handoff.held_s is not None:
                expected[(*tie, handoff.period_start)].append((handoff.waited_s or 0.0, handoff.held_s))
    found = {(*(row[name] for name in TIE), row["period_start"].date()): row for row in select(client, "tie_flow")}
    assert found.keys() == expected.keys()
    for key, times in expected.items():
        waited, held = (sum(column) / len(times) for column in zip(*times, strict=True))
        names = ("handoffs", "waited_s", "held_s", "flow_efficiency")
        assert [found[key][name] for name in names] == pytest.approx([len(times), waited, held, held / (waited + held)])


@pytest.mark.parametrize("view", ["tie_answers", "tie_marks", "tie_hours", "tie_flow"])
def test_site_process_and_period_narrow_a_chart(client: Client, written: list[EvidenceRow], view: str) -> None:
    everything = select(client, view)
    assert {row["process"] for row in everything} > {"incident"}
    assert {row["process"] for row in select(client, view, process="incident")} == {"incident"}
    assert select(client, view, site="north") != everything
    assert select(client, view, site="nowhere") == []
    assert select(client, view, period=(YEAR[1], YEAR[0])) == []
    assert select(client, view, run="other") == []


@pytest.mark.parametrize("view", ["tie_answers", "tie_marks"])
def test_a_chart_says_which_whole_atoms_it_shows(client: Client, written: list[EvidenceRow], view: str) -> None:
    rows = select(client, view, period=("2026-01-14 10:00:00", "2026-02-03 00:00:00"))
    shown_periods = {
        row["process"]: (row["period_from"].isoformat(), row["period_to"].isoformat()) for row in rows
    }  # fmt: skip
    assert shown_periods["ed-to-ward"] == ("2026-01-01", "2026-03-01")
    assert shown_periods["incident"] == ("2026-01-12", "2026-02-09")
