"""Control charts against plain Python, two runs against hand-made sums, and what neither may depend on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from pydantic_core import to_json

from benchmarks.control_chart import BASELINE, Flags, Limits, fewest_crossings, flags, limits, run_chart
from schemas.method.tie import Z
from sinks.clickhouse.control_rules import MOST_POINTS, crossings_limits
from sinks.clickhouse.insert import insert_rows
from tests.integration.store.rows import declare

FIRST = date(2020, 1, 6)
ALWAYS = ("2019-01-01", "2026-11-01")
NO_FLAGS = Flags(beyond_limits=False, shift=False, trend=False, near_limit=False)
Points = list[tuple[float, int]]


def window(week: int, s: float, n: int, **fields: Any) -> dict[str, Any]:
    """A publishable week of one tie, unless fields say otherwise."""
    given = {
        **{"run": "live", "process": "incident", "site": "north", "communicator_role": "level-1"},
        **{"experiencer_role": "level-2", "dimension": "timeliness", "origin": "explicit", "period": "week"},
        **{"period_start": (FIRST + timedelta(weeks=week)).isoformat(), "s": s, "n": n, "pending": 0},
        **{"work_items": n, "ss": s, "sn": s, "nn": float(n), "communicator_actors": 9, "experiencer_actors": 9},
        **{"largest_share": 0.2, "n_by_rule": {"reply": n}, "is_deleted": 0},
        **{"version": datetime(2026, 1, 1, tzinfo=UTC).isoformat()},
    }
    return given | fields


def write(client: Client, windows: Sequence[dict[str, Any]]) -> None:
    insert_rows(client, "tie_windows", [to_json(row) for row in windows])


def ask(client: Client, view: str, time: tuple[str, str] = ALWAYS, **asked: str) -> list[dict[str, Any]]:
    wanted = {"run": "live", "from": time[0], "to": time[1], "process": "", "site": ""} | asked
    arguments = ", ".join(f"{name} = '{value}'" for name, value in wanted.items())
    return list(client.query(f"SELECT * FROM {view}({arguments})").named_results())


def series(rng: random.Random, length: int, *, wander: float = 0.0) -> Points:
    rate, points = 0.8, []
    for _ in range(length):
        rate = min(0.99, max(0.05, rate + rng.gauss(0, wander)))
        n = rng.randint(10, 60)
        points.append((sum(rng.random() < rate for _ in range(n)) / rng.choice([1, 1, 1, 2]), n))
    return points


def charts() -> Iterator[Points]:
    rng = random.Random(7)
    for length in (1, 2, 7, 19, 20, 21, 40, 130):
        yield series(rng, length)
        yield series(rng, length, wander=0.03)
    yield [(10.0, 10)] * 30
    yield [(0.0, 12)] * 25 + [(6.0, 12)] * 3
    yield [(8.0, 10)] * 24 + [(7.0, 10)]
    yield [(30.0 - i, 40) for i in range(30)]
    yield [(20.0 + i % 2, 40) for i in range(60)]


def named(number: int) -> dict[str, Any]:
    return {"communicator_role": f"role-{number:02}"}


def check_chart(rows: list[dict[str, Any]], history: Points, shown: Points) -> None:
    found = limits(history)
    chart = found or Limits(0.5, None)
    assert [(row["value"], row["n"]) for row in rows] == [(s / n, n) for s, n in shown]
    expected: list[Flags] = flags(shown, chart) if found else []
    for row, (_, n), flag in zip(rows, shown, expected or [NO_FLAGS] * len(shown), strict=True):
        sigma = chart.sigma(n) if found else None
        bounds = (
            [max(0.0, chart.center - 3 * sigma), min(1.0, chart.center + 3 * sigma)]
            if sigma is not None
            else [None, None]
        )
        assert row["center"] == (pytest.approx(chart.center) if found else None)
        assert [row["lower"], row["upper"]] == pytest.approx(bounds)
        told = (row["beyond_limits"], row["shift"], row["trend"], row["near_limit"])
        assert told == (flag.beyond_limits, flag.shift, flag.trend, flag.near_limit)
        assert row["baseline_points"] == min(BASELINE, len(history))
        assert row["points"] == len(shown)
    runs = run_chart([s / n for s, n in shown])
    assert [row["median"] for row in rows] == pytest.approx([runs.median] * len(rows))
    assert {(row["longest_run"], row["longest_run_limit"]) for row in rows} == {
        (runs.longest_run, runs.longest_run_limit)
    }
    assert {(row["crossings"], row["crossings_limit"]) for row in rows} == {(runs.crossings, runs.crossings_limit)}
    broken = [
        rule
        for rule in ("beyond_limits", "shift", "trend", "near_limit")
        if any(getattr(flag, rule) for flag in expected)
    ]
    verdict = f"special cause: {', '.join(broken)}" if broken else "common cause only"
    few = f"not enough data: {len(history)} of 20 points"
    assert {row["verdict"] for row in rows} == {verdict if found else few}
    assert {row["rule_set"] for row in rows} == {"NHS making data count"}
    alarms = {row["expected_false_alarms"] for row in rows}
    assert len(alarms) == 1
    assert (alarms == {None}) == (found is None)


def of_tie(rows: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    return [row for row in rows if row["communicator_role"] == named(number)["communicator_role"]]


def test_charts_agree_with_plain_python(client: Client) -> None:
    declare(client)
    written = list(charts())
    write(client, [window(i, *p, **named(k)) for k, points in enumerate(written) for i, p in enumerate(points)])
    rows = ask(client, "tie_control")
    for number, points in enumerate(written):
        check_chart(of_tie(rows, number), points, points)


def test_every_rule_is_broken_and_kept_by_some_series() -> None:
    drawn = [flag for points in charts() if (found := limits(points)) for flag in flags(points, found)]
    for rule in ("beyond_limits", "shift", "trend", "near_limit"):
        assert {getattr(flag, rule) for flag in drawn} == {True, False}


def test_limits_stay_those_of_the_first_twenty_points_whatever_is_asked(client: Client) -> None:
    declare(client)
    points = series(random.Random(3), 90, wander=0.05)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    start, end = FIRST + timedelta(weeks=50), FIRST + timedelta(weeks=80)
    check_chart(ask(client, "tie_control", (start.isoformat(), end.isoformat())), points, points[50:80])
    after_one = (FIRST + timedelta(days=1)).isoformat()
    check_chart(ask(client, "tie_control", (after_one, start.isoformat())), points, points[:50])
    assert ask(client, "tie_control", ("2026-10-01", "2026-11-01")) == []


def test_sites_are_added_up_and_picked(client: Client) -> None:
    declare(client)
    rng = random.Random(4)
    north, south = series(rng, 30), series(rng, 30)
    write(client, [window(i, *p) for i, p in enumerate(north)])
    write(client, [window(i, *p, site="south") for i, p in enumerate(south)])
    both = [(a + b, m + n) for (a, m), (b, n) in zip(north, south, strict=True)]
    check_chart(ask(client, "tie_control"), both, both)
    check_chart(ask(client, "tie_control", site="south"), south, south)


def test_a_point_with_something_pending_or_of_a_running_period_is_no_point_yet(client: Client) -> None:
    declare(client)
    points = series(random.Random(5), 25)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    write(client, [window(25, 5, 10, pending=1)])
    today = datetime.now(UTC).date()
    write(client, [window(0, 5, 10, period_start=(today - timedelta(days=today.weekday())).isoformat())])
    check_chart(ask(client, "tie_control", ("2019-01-01", "2100-01-01")), points, points)


def test_an_unpublishable_week_is_not_in_the_baseline(client: Client) -> None:
    declare(client)
    points = series(random.Random(6), 30)
    hidden: dict[int, dict[str, Any]] = {
        3: {"communicator_actors": 4},
        8: {"work_items": 9},
        12: {"largest_share": 0.6},
    }
    write(client, [window(i, *p, **hidden.get(i, {})) for i, p in enumerate(points)])
    kept = [point for i, point in enumerate(points) if i not in hidden]
    check_chart(ask(client, "tie_control"), kept, kept)
    before = ask(client, "tie_control")
    newer = datetime(2026, 2, 1, tzinfo=UTC).isoformat()
    write(client, [window(i, 0, points[i][1], version=newer, **fields) for i, fields in hidden.items()])
    assert ask(client, "tie_control") == before


def test_contact_is_charted_in_both_directions(client: Client) -> None:
    declare(client)
    points = series(random.Random(8), 22)
    write(client, [window(i, *p, dimension="frequency") for i, p in enumerate(points)])
    rows = ask(client, "tie_control")
    for role in ("level-1", "level-2"):
        check_chart([row for row in rows if row["communicator_role"] == role], points, points)


def test_longer_charts_have_more_false_alarms(client: Client) -> None:
    declare(client)
    points = series(random.Random(9), 200)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    last = FIRST + timedelta(weeks=200)
    expected = [
        ask(client, "tie_control", ((last - timedelta(weeks=weeks)).isoformat(), last.isoformat()))[0]
        for weeks in (1, 6, 30, 33, 170)
    ]
    alarms = [row["expected_false_alarms"] for row in expected]
    assert alarms == sorted(alarms)
    assert 0 < alarms[0] < 0.05
    assert 0.8 < alarms[-1] < 1


def test_limits_of_crossings_are_the_exact_quantiles() -> None:
    starts = crossings_limits(300)
    assert all(fewest_crossings(useful) == sum(start <= useful for start in starts) for useful in range(301))
    assert crossings_limits(MOST_POINTS)[: len(starts)] == starts


def priors(client: Client, run: str, phi: float) -> None:
    row = {"run": run, "process": "incident", "dimension": "timeliness", "origin": "explicit", "mu": 0.8, "tau2": 0.01}
    more = {"phi": phi, "k": 9, "n_eff": 100, "version": "2026-01-01T00:00:00Z", "is_deleted": 0}
    insert_rows(client, "priors", [to_json(row | more)])


def test_a_change_is_told_from_weeks_that_both_runs_may_show(client: Client) -> None:
    declare(client)
    priors(client, "live", 2.0)
    write(client, [window(0, 8, 10), window(1, 15, 20), window(2, 9, 10), window(2, 18, 20, site="south")])
    other = {"run": "other"}
    write(client, [window(0, 6, 10, **other), window(1, 15, 30, communicator_actors=4, **other)])
    write(client, [window(2, 5, 10, **other), window(3, 10, 10, **other)])
    (row,) = ask(client, "run_changes", compare="other")
    assert (row["status"], row["periods"], row["n"], row["compare_n"]) == ("shown", 2, 20, 20)
    assert (row["value"], row["compare_value"]) == (17 / 20, 11 / 20)
    assert row["change"] == pytest.approx(-0.3)
    sd = [sqrt(phi * p * (1 - p) / 20) for phi, p in ((2.0, 17.5 / 21), (1.0, 11.5 / 21))]
    assert [row["low"], row["high"]] == pytest.approx([-0.3 - Z * sum(sd), -0.3 + Z * sum(sd)])


def test_a_tie_without_common_weeks_says_so(client: Client) -> None:
    declare(client)
    write(client, [window(0, 8, 10), window(1, 8, 10, communicator_role="lone", communicator_actors=4)])
    write(client, [window(1, 8, 10, run="other")])
    (row,) = ask(client, "run_changes", compare="other")
    assert (row["communicator_role"], row["status"], row["periods"]) == ("level-1", "not in both", 0)
    assert all(row[name] is None for name in ("n", "value", "compare_n", "compare_value", "change", "low", "high"))


def test_a_run_does_not_differ_from_itself(client: Client) -> None:
    declare(client)
    points = series(random.Random(10), 30)
    write(client, [window(i, *p) for i, p in enumerate(points)])
    write(client, [window(i, *p, dimension="frequency") for i, p in enumerate(points)])
    rows = ask(client, "run_changes", compare="live")
    assert [(row["dimension"], row["change"], row["periods"]) for row in rows] == [
        ("frequency", 0.0, 30),
        ("timeliness", 0.0, 30),
        ("frequency", 0.0, 30),
    ]
    assert all(row["low"] < 0 < row["high"] for row in rows)
