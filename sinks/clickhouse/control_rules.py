"""The rule sets of control charts in SQL, the same for shares and for waiting times; docs/method/charts.md says them.

Steps: `parted` cuts a series at interventions; the view adds centre and sigmas (`CHART_COLUMNS`); `judged` asks the
rules; the view draws one row for each point.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb

BASELINE = 20
"""Points that fix the limits, counted from the start of the run, or from an intervention."""
LEAST_USEFUL = 10
"""Points off the median, below which Anhøj's rules are not asked."""
LONG_RUN = 7
D2 = 1.128
MOST_POINTS = 1100
"""Of a chart with the 5 % quantile of its crossings: twenty years of weeks."""

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 40, 52, 78, 104, 156, 208, 260, 520)
"""Points of charts whose expected false alarms are known."""

RULE_SETS: Mapping[str, str] = {"nhs": "NHS making data count", "anhoej": "Anhøj", "limits": "limits only"}
RULE_SET = RULE_SETS["nhs"]
"""Of the column `verdict`; the others have columns of their own."""


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


def _run_lengths(signs: str) -> str:
    """For each element the length of the run of equal ones that it is in."""
    starts = f"arrayMap((one, last) -> one != last, {signs}, arrayPopBack(arrayPushFront({signs}, toInt8(9))))"
    runs = f"arraySplit((one, start) -> start, {signs}, {starts})"
    return f"arrayFlatten(arrayMap(run -> arrayMap(one -> length(run), run), {runs}))"


def _signs(values: str, middle: str) -> str:
    return f"arrayMap(of -> toInt8(sign(of - {middle})), {values})"


def _measured(charts: str) -> str:
    """Without variation in the baseline (all its points alike, or all 0 or 1) there are a centre and no limits.

    0.5 stands in for a centre until there is a baseline, so that no step meets a null; nothing made of it is shown.
    """
    return f"""
SELECT *, length(shown) AS points_shown, notEmpty(baseline) AS centered, centered AND varies AS limited,
    arrayMap(by -> if(limited, by, 0.), spread) AS sigma, {_signs("value", "middle")} AS side,
    arrayMap((a, b) -> toInt8(sign(b - a)), arrayPopBack(value), arrayPopFront(value)) AS step,
    arraySort(value) AS ordered,
    (ordered[intDiv(points_shown + 1, 2)] + ordered[intDiv(points_shown, 2) + 1]) / 2 AS half,
    {_signs("value", "half")} AS about_half, arrayFilter(of -> of != 0, about_half) AS useful
FROM ({charts})
WHERE notEmpty(shown)"""


def _runs(charts: str) -> str:
    return f"""
SELECT *, {_run_lengths("side")} AS side_run, {_run_lengths("step")} AS step_run,
    {_run_lengths("useful")} AS useful_run,
    toUInt32(arrayMax(arrayPushBack(useful_run, 0))) AS longest_run,
    if(empty(useful), 0, toUInt32(round(log2(length(useful)) + 3))) AS longest_run_limit,
    toUInt32(arrayCount((a, b) -> a != b, arrayPopBack(useful), arrayPopFront(useful))) AS crossings,
    toUInt32(arrayCount(fewest -> fewest <= length(useful), {crossings_limits()})) AS crossings_limit,
    arrayLastIndex(known -> known <= points_shown, {list(LENGTHS[:-1])}) AS length_place,
    arrayMap(known -> greatest(0, least(1, (points_shown - known[length_place])
        / (known[length_place + 1] - known[length_place]))), [{list(LENGTHS)}])[1] AS length_between,
    arrayMap((one, run) -> one != 0 AND run >= {LONG_RUN - 1}, step, step_run) AS climbing,
    arrayMap((one, off, by) -> if(limited AND abs(off - middle) > 2 * by, one, 0), side, value, sigma) AS outer
FROM ({_measured(charts)})"""


def _flagged(charts: str) -> str:
    # Against the limits of another part nothing is flagged: that they no longer fit is why there is a new part.
    return f"""
SELECT *,
    arrayMap((off, by) -> own AND limited AND abs(off - middle) > 3 * by, value, sigma) AS beyond_limits,
    arrayMap((one, run) -> own AND one != 0 AND run >= {LONG_RUN}, side, side_run) AS shift,
    arrayMap((into, out) -> own AND (into OR out), arrayPushFront(climbing, false), arrayPushBack(climbing, false))
        AS trend,
    arrayMap((one, i) -> own AND one != 0 AND (outer[toInt64(i) - 2] = one AND i > 2
        OR outer[toInt64(i) - 1] = one AND i > 1 OR outer[i + 1] = one OR outer[i + 2] = one),
        outer, arrayEnumerate(outer)) AS near_limit,
    arrayMap((one, place) -> one != 0 AND useful_run[place] > longest_run_limit,
        about_half, arrayCumSum(of -> of != 0, about_half)) AS long_run,
    arrayFilter((rule, broken) -> has(broken, true), ['beyond_limits', 'shift', 'trend', 'near_limit'],
        [beyond_limits, shift, trend, near_limit]) AS broken,
    arrayFilter((rule, broken) -> broken, ['long_run', 'few_crossings'],
        [longest_run > longest_run_limit, crossings < crossings_limit]) AS broken_anhoej
FROM ({_runs(charts)})"""


CHART_COLUMNS = "breaks, part, points, own, baseline, shown, value, middle, varies, spread, extra"
"""Of a chart that is to be judged, after the columns of `parted`: the values of the points shown, centre, whether the
baseline varies, the sigma of each point shown, and what else goes with each."""

Alarms = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Rule set, then `start` or `after`, then length to the share of charts of no change with a signal."""


def _alarms(alarms: Alarms, rules: str) -> str:
    """Linear between the rows of a table, constant beyond its ends."""
    start, after = (list(alarms[rules][kind].values()) for kind in ("start", "after"))
    return f"""arrayMap(shares -> shares[length_place] + length_between
        * (shares[length_place + 1] - shares[length_place]), [if(shown[1].1 = points[1].1, {start}, {after})])[1]"""


_FEW = f"""concat('not enough data', if(part > 0, concat(' since ', toString(breaks[part])), ''),
        ': ', toString(baseline_points), ' of {BASELINE} points')"""
_SAID = "'common cause only', concat('special cause: ', arrayStringConcat({}, ', '))"


def judged(charts: str, series: str, alarms: Alarms, more: str = "") -> str:
    """Verdicts of the three rule sets, once for each chart, and `drawn`: its points with what is said of each.

    Args:
        charts: columns `CHART_COLUMNS` beside the series.
    """
    return f"""
SELECT {series}, {more} own, points_shown, centered, limited, middle, half, longest_run, longest_run_limit, crossings,
    crossings_limit, toUInt32(least(length(points), {BASELINE})) AS baseline_points,
    if(part > 0, toDateTime(breaks[part], 'UTC'), NULL) AS rebased_at,
    multiIf(NOT own, {_FEW}, empty(broken), {_SAID.format("broken")}) AS verdict,
    multiIf(length(useful) < {LEAST_USEFUL},
        concat('not enough data: ', toString(length(useful)), ' of {LEAST_USEFUL} points off the median'),
        empty(broken_anhoej), {_SAID.format("broken_anhoej")}) AS verdict_anhoej,
    multiIf(NOT own, {_FEW}, NOT limited, 'not enough data: the first {BASELINE} points do not vary',
        has(beyond_limits, true), 'special cause: beyond_limits', 'common cause only') AS verdict_limits,
    if(own, {_alarms(alarms, "nhs")}, NULL) AS false_alarms,
    if(length(useful) >= {LEAST_USEFUL}, {_alarms(alarms, "anhoej")}, NULL) AS false_alarms_anhoej,
    if(own AND limited, {_alarms(alarms, "limits")}, NULL) AS false_alarms_limits,
    arrayZip(arrayMap(point -> point.1, shown), value, arrayMap(point -> point.3, shown), sigma,
        beyond_limits, shift, trend, near_limit, long_run, extra) AS drawn
FROM ({_flagged(charts)})"""


VERDICTS = f"""baseline_points, toUInt32(points_shown) AS points,
    '{RULE_SET}' AS rule_set, point.5 AS beyond_limits, point.6 AS shift, point.7 AS trend,
    point.8 AS near_limit, half AS median, longest_run, longest_run_limit, crossings, crossings_limit, verdict,
    false_alarms AS expected_false_alarms,
    point.9 AS long_run, verdict_anhoej, false_alarms_anhoej, verdict_limits, false_alarms_limits, rebased_at"""
"""Columns that both views end with, of `judged` joined with `drawn AS point`."""


def parted(history: str, series: str, shown_from: str, more: str = "") -> str:
    """Charts of a series: one from the start of the run, and one from each intervention that touches it.

    Args:
        history: the series, period, and `history`, an array of (period start, two numbers) in order.
        shown_from: the first day of what is shown, given `period`.
        more: other columns of it, each followed by a comma.
    Columns beside these: `part` 0, 1, … and its `points`; `breaks`, days at which parts begin; `baseline`, the points
    that limits come from: its own, or while there are too few of those (not `own`) the last part's that had enough;
    `shown`.
    """
    return f"""
SELECT {series}, {more} period, breaks, part, points, length(points) >= {BASELINE} AS own,
    arraySlice(if(own, points, earlier[-1]), 1, {BASELINE}) AS baseline,
    arrayFilter(point -> point.1 >= {shown_from} AND point.1 <= asked_last_day, points) AS shown
FROM
(
    SELECT {series}, {more} period, breaks, arrayJoin(arrayEnumerate(parts)) AS place, parts[place] AS points,
        arrayCount(day -> day <= points[1].1, breaks) AS part,
        arrayFilter(before -> length(before) >= {BASELINE}, arraySlice(parts, 1, place - 1)) AS earlier
    FROM
    (
        SELECT *, arrayMap(point -> arrayCount(day -> day <= point.1, breaks), history) AS passed,
            arraySplit((point, begins) -> begins, history,
                arrayMap((own, last) -> own != last, passed, arrayPushFront(arrayPopBack(passed), passed[1]))) AS parts
        FROM (SELECT *, {_BREAKS} AS breaks FROM ({history}))
    )
)"""


_TOUCHES = """arrayExists(tie -> tie.1 = communicator_role AND tie.2 = experiencer_role
        OR dimension = 'frequency' AND tie.2 = communicator_role AND tie.1 = experiencer_role, told.3)"""
_BREAKS = f"""arraySort(arrayDistinct(arrayMap(told -> told.2,
        arrayFilter(told -> told.1 = process AND (empty(told.3) OR {_TOUCHES}), interventions_told))))"""

# Not from `quality_interventions`: a statement with that view in it takes half as long again to plan.
INTERVENTIONS_TOLD = """(
    SELECT groupArray((told_process, toDate32(addMicroseconds(addDays(started_at, 1), -1)), told_ties)) FROM
    (
        SELECT toString(process) AS told_process, min(at) AS started_at, argMin(ties, at) AS told_ties
        FROM
        (
            SELECT * FROM interventions FINAL
            WHERE (any_process OR process = {process:String}) AND (any_site OR site = '' OR site = {site:String})
            ORDER BY payload LIMIT 1 BY source, id
        )
        WHERE verb = 'started'
        GROUP BY process, site, intervention
    )
) AS interventions_told"""
"""What follows WITH: process, first whole day, and ties (none: all) of each intervention at the asked sites. The period
in which one begins is the last of its old chart."""
