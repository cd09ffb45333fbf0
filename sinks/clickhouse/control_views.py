"""Control charts of ties, and what changed between two runs, from publishable atoms; docs/method/charts.md says how.

`python -m sinks.clickhouse.control_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

from math import comb

from schemas.method.tie import Z
from sinks.clickhouse.asked_sql import ASKED, SCOPE, by_period, period_end
from sinks.clickhouse.promoted_sql import alone, as_of_by_run
from sinks.clickhouse.publish_sql import ASKED_TIME, atoms_where
from sinks.clickhouse.quality_views import create_view
from sinks.clickhouse.windows_sql import exact_sum

_HEADER = "-- Written by `python -m sinks.clickhouse.control_views`: see there for what it means.\n"
_SERIES = "process, communicator_role, experiencer_role, dimension, origin"
RULE_SET = "NHS making data count"
BASELINE = 20
"""Points that fix the limits, counted from the start of the run."""
_LONG_RUN = 7
_D2 = 1.128

# Share of charts of a process that does not change with a signal all the same, by points: the first scenario of
# `python -m benchmarks.false_alarms`.
_LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520)
FALSE_ALARMS_FROM_START = dict(
    zip(
        _LENGTHS,
        (
            0.005,
            0.009,
            0.012,
            0.023,
            0.041,
            0.07,
            0.103,
            0.139,
            0.206,
            0.3,
            0.437,
            0.555,
            0.714,
            0.798,
            0.904,
            0.951,
            0.972,
            0.997,
        ),
        strict=True,
    )
)
FALSE_ALARMS_AFTER_BASELINE = dict(
    zip(
        _LENGTHS,
        (
            0.009,
            0.028,
            0.044,
            0.073,
            0.123,
            0.178,
            0.271,
            0.346,
            0.406,
            0.469,
            0.554,
            0.646,
            0.758,
            0.833,
            0.92,
            0.958,
            0.976,
            0.998,
        ),
        strict=True,
    )
)

MOST_POINTS = 1100
"""Of a chart with the 5 % quantile of its crossings: twenty years of weeks."""


def crossings_limits(most: int = MOST_POINTS) -> list[int]:
    """k-th element: the fewest useful points whose 5 % quantile of crossings, binomial at a half, is k (exactly)."""
    starts: list[int] = []
    below = 1  # ways of fewer than k + 1 crossings in no trials, k being the limit so far
    for trials in range(1, most):
        below = 2 * below - comb(trials - 1, len(starts))
        if 20 * below < 2**trials:
            starts.append(trials + 1)
            below += comb(trials, len(starts))
    return starts


# A replay looks up to its as_of; a live run up to now.
_AS_OF_BY_RUN = f"{as_of_by_run('assumeNotNull(as_of)')} AS as_of_by_run"
_AS_OF = "if(mapContains(as_of_by_run, run), as_of_by_run[run], now64(6))"

# One point per period: what waits for its due or settling time, or for the end of its period, is no point yet.
_POINTS = f"""
SELECT {_SERIES}, period, period_start, sum_s AS s, sum_n AS n
FROM
(
    SELECT any(a.run) AS run, process, dimension, origin, period, period_start, if(turned, b, a) AS communicator_role,
        if(turned, a, b) AS experiencer_role, {exact_sum("a.s")} AS sum_s, sum(a.n) AS sum_n, sum(a.pending) AS waiting
    FROM
    ({
    atoms_where(
        SCOPE,
        "communicator_role, experiencer_role, dimension, origin, period_start, s, n, pending",
        "*, communicator_role AS a, experiencer_role AS b,"
        " arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned",
    )
}
    WHERE publishable
    ) AS a
    GROUP BY process, dimension, origin, period, period_start, communicator_role, experiencer_role
)
WHERE waiting = 0 AND toDateTime64({period_end("period_start")}, 6, 'UTC') <= {_AS_OF}"""


_HISTORY = f"""
SELECT {_SERIES}, any(period) AS period, arraySort(groupArray((period_start, s, n))) AS history,
    arraySlice(history, 1, {BASELINE}) AS baseline, length(baseline) AS baseline_points
FROM ({_POINTS})
GROUP BY {_SERIES}"""

# 0.5 stands in until there is a baseline, so that no step meets a null; nothing made of it is shown.
_CENTERED = f"""
SELECT {_SERIES}, baseline_points,
    if(baseline_points = {BASELINE}, arraySum(baseline.2) / arraySum(baseline.3), 0.5) AS middle,
    arrayMap((s, n) -> (s / n - middle) / sqrt(middle * (1 - middle) / n), baseline.2, baseline.3) AS z,
    arrayFilter(point -> point.1 >= {by_period("from")} AND point.1 <= asked_last_day, history) AS shown,
    arrayMap((s, n) -> s / n, shown.2, shown.3) AS value, history[1].1 AS first
FROM ({_HISTORY})"""

# Without variation in the baseline (all its points alike, or all 0 or 1) there is a centre but there are no limits.
_LIMITED = f"""
SELECT *, arrayMap(side -> toInt8(sign(side - middle)), value) AS side,
    arraySum(arrayMap((a, b) -> abs(b - a), arrayPopBack(z), arrayPopFront(z))) / {BASELINE - 1} / {_D2} AS sigma_z,
    baseline_points = {BASELINE} AS centered, centered AND middle > 0 AND middle < 1 AND sigma_z > 0 AS limited,
    arrayMap(n -> if(limited, sqrt(middle * (1 - middle) / n) * sigma_z, 0.), shown.3) AS sigma,
    arrayMap((a, b) -> toInt8(sign(b - a)), arrayPopBack(value), arrayPopFront(value)) AS step,
    arraySort(value) AS ordered, length(value) AS points,
    (ordered[intDiv(points + 1, 2)] + ordered[intDiv(points, 2) + 1]) / 2 AS half,
    arrayFilter(of -> of != 0, arrayMap(of -> toInt8(sign(of - half)), value)) AS useful
FROM ({_CENTERED})
WHERE notEmpty(shown)"""


def _run_lengths(signs: str) -> str:
    """For each element the length of the run of equal ones that it is in."""
    starts = f"arrayMap((one, last) -> one != last, {signs}, arrayPopBack(arrayPushFront({signs}, toInt8(9))))"
    runs = f"arraySplit((one, start) -> start, {signs}, {starts})"
    return f"arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), {runs}))"


_RUNS = f"""
SELECT *, {_run_lengths("side")} AS side_run, {_run_lengths("step")} AS step_run,
    {_run_lengths("useful")} AS useful_run,
    arrayMap((one, run) -> one != 0 AND run >= {_LONG_RUN - 1}, step, step_run) AS climbing,
    arrayMap((one, off, by) -> if(limited AND abs(off - middle) > 2 * by, one, 0), side, value, sigma) AS outer
FROM ({_LIMITED})"""

_FLAGGED = f"""
SELECT *,
    arrayMap((off, by) -> limited AND abs(off - middle) > 3 * by, value, sigma) AS beyond_limits,
    arrayMap((one, run) -> centered AND one != 0 AND run >= {_LONG_RUN}, side, side_run) AS shift,
    arrayMap((into, out) -> centered AND (into OR out), arrayPushFront(climbing, false), arrayPushBack(climbing, false))
        AS trend,
    arrayMap((one, i) -> one != 0 AND (outer[toInt64(i) - 2] = one AND i > 2 OR outer[toInt64(i) - 1] = one AND i > 1
        OR outer[i + 1] = one OR outer[i + 2] = one), outer, arrayEnumerate(outer)) AS near_limit,
    arrayFilter((rule, broken) -> has(broken, true), ['beyond_limits', 'shift', 'trend', 'near_limit'],
        [beyond_limits, shift, trend, near_limit]) AS broken
FROM ({_RUNS})"""


def _interpolated(x: str, table: dict[int, float]) -> str:
    """Linear between the rows of a table, constant beyond its ends."""
    xs, ys = list(table), list(table.values())
    place = f"greatest(1, least({len(xs) - 1}, arrayLastIndex(known -> known <= {x}, {xs})))"
    between = f"greatest(0, least(1, ({x} - {xs}[place]) / ({xs}[place + 1] - {xs}[place])))"
    return f"arrayMap(place -> {ys}[place] + {between} * ({ys}[place + 1] - {ys}[place]), [{place}])[1]"


# Once per chart, before its points become rows.
_JUDGED = f"""
SELECT {_SERIES}, baseline_points, points, centered, limited, middle, half,
    toUInt32(arrayMax(arrayPushBack(useful_run, 0))) AS longest_run,
    if(empty(useful), 0, toUInt32(round(log2(length(useful)) + 3))) AS longest_run_limit,
    toUInt32(arrayCount((a, b) -> a != b, arrayPopBack(useful), arrayPopFront(useful))) AS crossings,
    toUInt32(arrayCount(fewest -> fewest <= length(useful), {crossings_limits()})) AS crossings_limit,
    multiIf(NOT centered, concat('not enough data: ', toString(baseline_points), ' of {BASELINE} points'),
        empty(broken), 'common cause only', concat('special cause: ', arrayStringConcat(broken, ', '))) AS verdict,
    if(shown[1].1 = first, {_interpolated("points", FALSE_ALARMS_FROM_START)},
        {_interpolated("points", FALSE_ALARMS_AFTER_BASELINE)}) AS false_alarms,
    arrayZip(shown.1, value, shown.3, sigma, beyond_limits, shift, trend, near_limit) AS drawn
FROM ({_FLAGGED})"""

TIE_CONTROL = f"""{ASKED}, {alone()}, {_AS_OF_BY_RUN}
SELECT {_SERIES}, toDateTime(point.1, 'UTC') AS period_start, point.2 AS value, point.3 AS n,
    if(centered, middle, NULL) AS center,
    if(limited, greatest(0., middle - 3 * point.4), NULL) AS lower,
    if(limited, least(1., middle + 3 * point.4), NULL) AS upper,
    toUInt32(baseline_points) AS baseline_points, toUInt32(points) AS points,
    '{RULE_SET}' AS rule_set, point.5 AS beyond_limits, point.6 AS shift, point.7 AS trend, point.8 AS near_limit,
    half AS median, longest_run, longest_run_limit, crossings, crossings_limit, verdict,
    if(centered, false_alarms, NULL) AS expected_false_alarms
FROM (SELECT *, arrayJoin(drawn) AS point FROM ({_JUDGED}))
ORDER BY {_SERIES}, period_start
SETTINGS join_use_nulls = 0"""

_ATOM = "process, site, period, period_start, dimension, origin, communicator_role, experiencer_role"


def _shown_in(run: str, place: int) -> str:
    condition = f"{SCOPE} AND {ASKED_TIME}"
    columns = "site, period_start, dimension, origin, communicator_role, experiencer_role, s, n"
    atoms = atoms_where(condition, columns, "*", run)
    return f"SELECT {place} AS place, {_ATOM}, s, n FROM ({atoms} WHERE publishable)"


_SIDE_BY_SIDE = f"""
SELECT {", ".join(f"any(a.{column}) AS {column}" for column in _ATOM.split(", "))}, count() = 2 AS shared,
    sumIf(a.s, place = 1) AS s_1, sumIf(a.n, place = 1) AS n_1,
    sumIf(a.s, place = 2) AS s_2, sumIf(a.n, place = 2) AS n_2
FROM ({_shown_in("run", 1)} UNION ALL {_shown_in("compare", 2)}) AS a
GROUP BY a.period_start, {", ".join(f"sipHash64(a.{name})" for name in _ATOM.split(", ") if name != "period_start")}"""
"""Atoms that may be shown in one run or in both (`shared`)."""

_COMPARED = f"""
SELECT process, dimension, origin, if(turned, b, a) AS communicator_role, if(turned, a, b) AS experiencer_role,
    toUInt32(uniqExactIf(period_start, shared)) AS periods,
    {exact_sum("s_1", "shared")} AS sum_1, sumIf(n_1, shared) AS of_1,
    {exact_sum("s_2", "shared")} AS sum_2, sumIf(n_2, shared) AS of_2
FROM
(
    SELECT *, communicator_role AS a, experiencer_role AS b,
        arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned
    FROM ({_SIDE_BY_SIDE})
)
GROUP BY process, dimension, origin, communicator_role, experiencer_role"""


def _factor(run: str) -> str:
    return f"(SELECT process, dimension, origin, phi FROM priors FINAL WHERE run = {{{run}:String}})"


def _sd(place: int) -> str:
    """Standard deviation of a share with overdispersion; half an observation each way keeps it from being 0."""
    share = f"(sum_{place} + 0.5) / (of_{place} + 1)"
    return f"sqrt(phi_{place} * {share} * (1 - {share}) / of_{place})"


_WITH_SPREAD = f"""
SELECT c.process AS process, c.communicator_role AS communicator_role, c.experiencer_role AS experiencer_role,
    c.dimension AS dimension, c.origin AS origin, periods, sum_1, of_1, sum_2, of_2, periods > 0 AS shown,
    if(one.phi > 0, one.phi, 1.) AS phi_1, if(two.phi > 0, two.phi, 1.) AS phi_2,
    sum_2 / of_2 - sum_1 / of_1 AS change, {Z!r} * ({_sd(1)} + {_sd(2)}) AS reach
FROM ({_COMPARED}) AS c
LEFT JOIN {_factor("run")} AS one
    ON one.process = c.process AND one.dimension = c.dimension AND one.origin = c.origin
LEFT JOIN {_factor("compare")} AS two
    ON two.process = c.process AND two.dimension = c.dimension AND two.origin = c.origin"""

RUN_CHANGES = f"""{ASKED}, {alone()}, {alone("compare")}
SELECT process, communicator_role, experiencer_role, dimension, origin, periods,
    if(shown, of_1, NULL) AS n, if(shown, sum_1 / of_1, NULL) AS value,
    if(shown, of_2, NULL) AS compare_n, if(shown, sum_2 / of_2, NULL) AS compare_value,
    if(shown, w.change, NULL) AS change, if(shown, greatest(-1., w.change - reach), NULL) AS low,
    if(shown, least(1., w.change + reach), NULL) AS high, if(shown, 'shown', 'not in both') AS status
FROM ({_WITH_SPREAD}) AS w
ORDER BY {_SERIES}
SETTINGS join_use_nulls = 0"""

CONTROL_VIEWS: dict[str, str] = {"tie_control": TIE_CONTROL, "run_changes": RUN_CHANGES}
"""Name to SELECT, in the order of creation."""


def migration() -> str:
    """The text of the migration that creates all views of control charts."""
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in CONTROL_VIEWS.items())


if __name__ == "__main__":
    print(migration(), end="")
