"""Control charts of ties, and what changed between two runs, from publishable atoms; docs/method/charts.md says how.

`python -m sinks.clickhouse.control_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

from schemas.method.tie import Z
from sinks.clickhouse.asked_sql import ASKED, SCOPE, by_period, period_end
from sinks.clickhouse.control_rules import D2, INTERVENTIONS_TOLD, VERDICTS, judged, parted
from sinks.clickhouse.details_sql import bin_start_s, waiting_bin
from sinks.clickhouse.expected_alarms import OF_LATENCIES, OF_SHARES
from sinks.clickhouse.promoted_sql import alone, as_of_by_run
from sinks.clickhouse.publish_sql import ASKED_TIME, atoms_where
from sinks.clickhouse.quality_views import create_view
from sinks.clickhouse.windows_sql import exact_sum

_HEADER = "-- Written by `python -m sinks.clickhouse.control_views`: see there for what it means.\n"
_SERIES = "process, communicator_role, experiencer_role, dimension, origin"
_TIE = "process, communicator_role, experiencer_role, origin"

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
SELECT {_SERIES}, any(period) AS period, arraySort(groupArray((period_start, s, n))) AS history
FROM ({_POINTS})
GROUP BY {_SERIES}"""

_SHARES = f"""
SELECT *, if(notEmpty(baseline), arraySum(baseline.2) / arraySum(baseline.3), 0.5) AS middle,
    arrayMap((s, n) -> (s / n - middle) / sqrt(middle * (1 - middle) / n), baseline.2, baseline.3) AS z,
    arraySum(arrayMap((a, b) -> abs(b - a), arrayPopBack(z), arrayPopFront(z))) / (length(z) - 1) / {D2} AS sigma_z,
    middle > 0 AND middle < 1 AND sigma_z > 0 AS varies, arrayMap((s, n) -> s / n, shown.2, shown.3) AS value,
    arrayMap(n -> sqrt(middle * (1 - middle) / n) * sigma_z, shown.3) AS spread, arrayMap(n -> 0, shown.3) AS extra
FROM ({parted(_HISTORY, _SERIES, by_period("from"))})"""

TIE_CONTROL = f"""{ASKED}, {alone()}, {_AS_OF_BY_RUN}, {INTERVENTIONS_TOLD}
SELECT {_SERIES}, toDateTime(point.1, 'UTC') AS period_start, point.2 AS value, point.3 AS n,
    if(centered, middle, NULL) AS center,
    if(limited, greatest(0., middle - 3 * point.4), NULL) AS lower,
    if(limited, least(1., middle + 3 * point.4), NULL) AS upper,
    {VERDICTS}
FROM (SELECT *, arrayJoin(drawn) AS point FROM ({judged(_SHARES, _SERIES, OF_SHARES)}))
ORDER BY {_SERIES}, period_start
SETTINGS join_use_nulls = 0"""

# Every handoff of a period says (bin, not answered, times): answers of a bin come before what is last seen in it.
_SAID = f"""
SELECT {_TIE}, any(a.period) AS period, period_start, sum(a.pending) AS waiting, any(a.run) AS run,
    arraySort(groupArrayArray(arrayConcat(
        arrayMap((bin, times) -> (toUInt32(bin), 0, times), mapKeys(answered), mapValues(answered)),
        arrayMap((bin, times) -> (toUInt32(bin), 1, times), mapKeys(unanswered), mapValues(unanswered)),
        arrayMap((minute, times) -> ({waiting_bin("greatest(0, toUnixTimestamp(as_of) - minute * 60)")}, 1, times),
            mapKeys(open_since), mapValues(open_since))))) AS said
FROM
({
    atoms_where(
        SCOPE + " AND dimension = 'timeliness'",
        "communicator_role, experiencer_role, dimension, origin, period_start, pending, answered, unanswered,"
        " open_since",
        f"*, {_AS_OF} AS as_of",
    )
}) AS a
WHERE publishable
GROUP BY {_TIE}, period_start"""

# Kaplan-Meier: `waits` says of each place what share still waits after it. The median lies where that falls to a half,
# in a straight line within its bin.
_MEDIANS = f"""
SELECT {_TIE}, period, period_start, arraySum(said.3) AS n,
    arrayMap(seen -> n - seen, arrayPushFront(arrayPopBack(arrayCumSum(said.3)), 0)) AS at_risk,
    arrayMap(left -> exp(left), arrayCumSum((told, r) -> if(told.2 = 0, log(1 - told.3 / r), 0.), said, at_risk))
        AS waits,
    arrayFirstIndex(left -> left <= 0.5 + 1e-9, waits) AS place, place > 0 AS reached, said[place].1 AS bin,
    if(bin = said[1].1, 1., waits[arrayFirstIndex(told -> told.1 = bin, said) - 1]) AS before,
    waits[arrayLastIndex(told -> told.1 = bin, said)] AS after,
    log(greatest(1., {bin_start_s("(bin + (before - 0.5) / (before - after))")})) AS log_median
FROM ({_SAID})
WHERE waiting = 0 AND notEmpty(said)
    AND toDateTime64({period_end("period_start")}, 6, 'UTC') <= {_AS_OF}"""

_LATENCY_HISTORY = f"""
SELECT {_TIE}, 'timeliness' AS dimension, any(m.period) AS period,
    arraySort(groupArrayIf((period_start, log_median, m.n), reached)) AS history,
    groupArrayIf(period_start, NOT reached) AS unreached
FROM ({_MEDIANS}) AS m
GROUP BY {_TIE}
HAVING notEmpty(history)"""

_LATENCIES = f"""
SELECT *, if(notEmpty(baseline), arrayAvg(baseline.2), 0.5) AS middle,
    arrayAvg(arrayMap((a, b) -> abs(b - a), arrayPopBack(baseline.2), arrayPopFront(baseline.2))) AS moving_range,
    moving_range > 0 AS varies, shown.2 AS value, arrayMap(n -> moving_range / {D2}, shown.3) AS spread,
    arraySlice(arrayMap((a, b) -> b.2 - a.2, arrayPushFront(arrayPopBack(points), points[1]), points),
        indexOf(points, shown[1]), length(shown)) AS extra
FROM ({parted(_LATENCY_HISTORY, _TIE, by_period("from"), "unreached,")})"""

TIE_LATENCY_CONTROL = f"""{ASKED}, {alone()}, {_AS_OF_BY_RUN}, {INTERVENTIONS_TOLD}
SELECT {_TIE}, toDateTime(point.1, 'UTC') AS period_start, exp(point.2) AS median_s, point.3 AS n,
    if(centered, exp(middle), NULL) AS center_s, if(limited, exp(middle - 3 * point.4), NULL) AS lower_s,
    if(limited, exp(middle + 3 * point.4), NULL) AS upper_s,
    if(point.1 = first, NULL, abs(point.10)) AS moving_range, if(limited, 3.267 * range_mean, NULL) AS range_limit,
    ifNull(moving_range > range_limit, false) AS beyond_range, periods_without_median,
    {VERDICTS.replace("half AS median", "exp(half) AS run_median_s")}
FROM
(
    SELECT *, arrayJoin(drawn) AS point
    FROM ({
    judged(
        _LATENCIES,
        _TIE,
        OF_LATENCIES,
        "points[1].1 AS first, moving_range AS range_mean,"
        f" toUInt32(arrayCount(day -> day >= {by_period('from')} AND day <= asked_last_day, unreached))"
        " AS periods_without_median,",
    )
})
)
ORDER BY {_TIE}, period_start
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

CONTROL_VIEWS: dict[str, str] = {
    "tie_control": TIE_CONTROL,
    "tie_latency_control": TIE_LATENCY_CONTROL,
    "run_changes": RUN_CHANGES,
}
"""Name to SELECT, in the order of creation."""


def migration(names: Collection[str] = ()) -> str:
    """The part of a migration that creates these views, in the order of creation; all of them for no names."""
    chosen = {name: select for name, select in CONTROL_VIEWS.items() if name in names or not names}
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in chosen.items())


if __name__ == "__main__":
    print(migration(sys.argv[1:]), end="")
