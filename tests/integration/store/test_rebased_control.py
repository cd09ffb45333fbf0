"""Control charts that begin anew at an intervention, rule sets beside each other, and charts of waiting times."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import exp, log
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from benchmarks.control_chart import flags, limits, long_runs, median_wait_s, range_limits
from benchmarks.false_alarms import LEAST_USEFUL
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import event_row
from tests.integration.store.rows import declare
from tests.integration.store.test_archive import event
from tests.integration.store.test_control import (
    ALWAYS,
    FIRST,
    Points,
    ask,
    charts,
    check_chart,
    named,
    of_tie,
    series,
    window,
    write,
)

MONDAY = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)


def intervene(client: Client, week: float, *ties: tuple[str, str], process: str = "incident", site: str = "") -> None:
    told = event(
        1,
        "intervention.started",
        name="Huddle",
        kind="relational",
        hypothesis="answers come sooner",
        owner_role="manager",
        ties=tuple({"communicator_role": one, "experiencer_role": other} for one, other in ties),
    )
    at = MONDAY + timedelta(weeks=week)
    moved = told.model_copy(
        update={"time": at, "process": process, "site": site, "id": f"{week}", "subject": f"{week}"}
    )
    insert_rows(client, "events", [event_row(moved, received_at=at)])


def test_chart_begins_anew_at_an_intervention_of_its_tie_or_its_whole_process(client: Client) -> None:
    declare(client)
    points = series(random.Random(1), 75)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    intervene(client, 30, ("level-1", "level-2"))
    intervene(client, 51.5)
    rows = ask(client, "tie_control")
    for start, end in ((0, 30), (30, 52), (52, 75)):
        check_chart(rows[start:end], points[start:end], points[start:end])
    assert {row["rebased_at"] for row in rows[:30]} == {None}
    days = {row["rebased_at"].date() for row in rows[30:]}
    assert days == {FIRST + timedelta(weeks=30), (MONDAY + timedelta(weeks=51.5) + timedelta(days=1)).date()}


@pytest.mark.parametrize(
    "other",
    [
        {"ties": [("level-2", "level-1")]},
        {"process": "surgery"},
        {"site": "south"},
    ],
)
def test_intervention_elsewhere_leaves_a_chart_as_it_is(client: Client, other: dict[str, Any]) -> None:
    declare(client)
    points = series(random.Random(2), 45)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    intervene(client, 25, *other.pop("ties", []), **other)
    check_chart(ask(client, "tie_control", site="north"), points, points)


def test_after_an_intervention_old_limits_stay_until_there_are_new_ones_and_flag_nothing(client: Client) -> None:
    declare(client)
    points: Points = [*series(random.Random(3), 30), *[(1.0, 40)] * 9]
    write(client, [window(i, *p) for i, p in enumerate(points)])
    intervene(client, 30)
    rows = ask(client, "tie_control")
    old = limits(points)
    assert old is not None
    for row in rows[30:]:
        assert row["center"] == pytest.approx(old.center)
        assert row["lower"] is not None
        assert not any(row[flag] for flag in ("beyond_limits", "shift", "trend", "near_limit"))
        assert row["verdict"] == row["verdict_limits"]
        assert row["verdict"] == f"not enough data since {FIRST + timedelta(weeks=30)}: 9 of 20 points"
        assert row["expected_false_alarms"] is None
        assert row["baseline_points"] == 9


def test_contact_begins_anew_in_both_directions(client: Client) -> None:
    declare(client)
    write(client, [window(i, *p, dimension="frequency") for i, p in enumerate(series(random.Random(4), 45))])
    intervene(client, 22, ("level-2", "level-1"))
    assert Counter(row["rebased_at"] is None for row in ask(client, "tie_control")) == {True: 44, False: 46}


def test_other_rule_sets_agree_with_plain_python(client: Client) -> None:
    declare(client)
    written = list(charts())
    write(client, [window(i, *p, **named(k)) for k, points in enumerate(written) for i, p in enumerate(points)])
    rows = ask(client, "tie_control")
    verdicts = set()
    for number, points in enumerate(written):
        mine = of_tie(rows, number)
        values = [s / n for s, n in points]
        assert [row["long_run"] for row in mine] == long_runs(values)
        row, chart = mine[0], limits(points)
        useful = sum(value != row["median"] for value in values)
        broken = [
            name
            for name, found in (
                ("long_run", row["longest_run"] > row["longest_run_limit"]),
                ("few_crossings", row["crossings"] < row["crossings_limit"]),
            )
            if found
        ]
        said = f"special cause: {', '.join(broken)}" if broken else "common cause only"
        few = f"not enough data: {useful} of {LEAST_USEFUL} points off the median"
        assert row["verdict_anhoej"] == (said if useful >= LEAST_USEFUL else few)
        if chart is not None and chart.sigma_z is not None:
            beyond = any(flag.beyond_limits for flag in flags(points, chart))
            assert row["verdict_limits"] == ("special cause: beyond_limits" if beyond else "common cause only")
            assert row["false_alarms_limits"] < row["expected_false_alarms"] or row["points"] < 3
        verdicts |= {row["verdict_anhoej"].split(":")[0], row["verdict_limits"].split(":")[0]}
    assert verdicts == {"common cause only", "special cause", "not enough data"}


def waits(rng: random.Random, middle: float) -> tuple[Counter[int], Counter[int]]:
    """Bins of answered and of unanswered handoffs of one period."""
    answered = Counter(max(0, round(rng.gauss(middle, 4))) for _ in range(30))
    gone = Counter(max(0, round(rng.gauss(middle, 6))) for _ in range(rng.randrange(8)))
    return answered, gone


def waited(week: int, answered: Counter[int], gone: Counter[int], **fields: Any) -> dict[str, Any]:
    n = sum(answered.values()) + sum(gone.values())
    return window(week, n / 2, n, answered=dict(answered), unanswered=dict(gone), hours={}, open_since={}, **fields)


def test_chart_of_waiting_times_agrees_with_plain_python(client: Client) -> None:
    declare(client)
    rng = random.Random(5)
    history = [waits(rng, 20 + 6 * (week > 40)) for week in range(60)]
    history[7] = (Counter({3: 10}), Counter({5: 30}))
    write(client, [waited(week, *told) for week, told in enumerate(history)])
    rows = ask(client, "tie_latency_control")
    medians = [median_wait_s(*told) for told in history]
    reached = [log(max(1.0, median)) for median in medians if median is not None]
    assert medians[7] is None
    assert [log(row["median_s"]) for row in rows] == pytest.approx(reached)
    assert {row["periods_without_median"] for row in rows} == {1}
    chart = range_limits(reached)
    assert chart is not None
    for row, flag in zip(rows, flags([(value, 1.0) for value in reached], chart), strict=True):
        sigma = chart.sigma()
        assert sigma is not None
        bounds = [exp(chart.center), exp(chart.center - 3 * sigma), exp(chart.center + 3 * sigma)]
        assert [row["center_s"], row["lower_s"], row["upper_s"]] == pytest.approx(bounds)
        told = (row["beyond_limits"], row["shift"], row["trend"], row["near_limit"])
        assert told == (flag.beyond_limits, flag.shift, flag.trend, flag.near_limit)
        assert row["range_limit"] == pytest.approx(chart.range_limit)
    moves = [None, *(abs(b - a) for a, b in itertools.pairwise(reached))]
    assert [row["moving_range"] for row in rows] == pytest.approx(moves)
    assert {row["verdict"].split(":")[0] for row in rows} == {"special cause"}


def test_chart_of_waiting_times_begins_anew_too_and_shows_a_part_of_it_only(client: Client) -> None:
    declare(client)
    rng = random.Random(6)
    write(client, [waited(week, *waits(rng, 20)) for week in range(45)])
    intervene(client, 22, ("level-1", "level-2"))
    rows = ask(client, "tie_latency_control")
    assert [row["points"] for row in rows] == [22] * 22 + [23] * 23
    later = ask(client, "tie_latency_control", ((FIRST + timedelta(weeks=30)).isoformat(), ALWAYS[1]))
    assert [(row["median_s"], row["center_s"], row["moving_range"]) for row in later] == [
        (row["median_s"], row["center_s"], row["moving_range"]) for row in rows[30:]
    ]


def test_unpublishable_week_has_no_waiting_time(client: Client) -> None:
    declare(client)
    rng = random.Random(7)
    write(client, [waited(week, *waits(rng, 20)) for week in range(5)])
    write(client, [waited(5, *waits(rng, 20), communicator_actors=4), waited(6, *waits(rng, 20), pending=1)])
    assert len(ask(client, "tie_latency_control")) == 5
