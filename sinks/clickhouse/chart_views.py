"""The views behind charts: answer curve, reasons, hours of the week, flow. Sums of publishable atoms and nothing else.

`python -m sinks.clickhouse.chart_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

from sinks.clickhouse.asked_sql import ASKED, by_period
from sinks.clickhouse.details_sql import bin_start_s, waiting_bin
from sinks.clickhouse.promoted_sql import alone, as_of_by_run
from sinks.clickhouse.publish_sql import asked_atoms
from sinks.clickhouse.quality_views import create_view
from sinks.clickhouse.windows_sql import exact_sum

_HEADER = "-- Written by `python -m sinks.clickhouse.chart_views`: see there for what it means.\n"
_TIE = "process, communicator_role, experiencer_role, origin"
_PERIOD = f"{by_period('from')} AS period_from, {by_period('to')} AS period_to"


def _handoffs(wanted: str, *columns: str) -> str:
    """Of the handoffs of publishable atoms; `columns` of tie_windows beside the tie's."""
    atoms = asked_atoms(f"communicator_role, experiencer_role, origin, dimension, {', '.join(columns)}", "*")
    return f"SELECT {wanted} FROM ({atoms}) WHERE publishable AND dimension = 'timeliness'"


# A replay looks up to its as_of; a live run up to now.
_AS_OF_BY_RUN = f"{as_of_by_run('toUnixTimestamp(as_of)')} AS as_of_by_run"
_AS_OF = "if(as_of_by_run[run] = 0, toUnixTimestamp(now64(6)), as_of_by_run[run])"

_COUNTED = f"""
SELECT {_TIE}, period, said.1 AS bin, sum(said.2) AS gone, sum(if(said.3, said.2, 0)) AS answers
FROM
(
    SELECT {_TIE}, period, arrayJoin(arrayConcat(
        arrayMap((bin, times) -> (toUInt32(bin), times, true), mapKeys(answered), mapValues(answered)),
        arrayMap((bin, times) -> (toUInt32(bin), times, false), mapKeys(unanswered), mapValues(unanswered)),
        arrayMap((minute, times) -> ({waiting_bin("greatest(0, as_of - minute * 60)")}, times, false),
            mapKeys(open_since), mapValues(open_since)))) AS said
    FROM ({_handoffs(f"*, {_AS_OF} AS as_of", "answered", "unanswered", "open_since")})
)
GROUP BY {_TIE}, period, bin"""
"""By tie and bin: handoffs that were answered in it, and all that were no longer followed after it."""

# From the bin before the first that has anything, so that a line between points is flat until then.
_DENSE = f"""
SELECT {_TIE}, period, bins, arrayMap(bin -> answers_in[indexOf(said_in, bin)], bins) AS answers,
    arrayReverse(arrayCumSum(arrayReverse(arrayMap(bin -> gone_in[indexOf(said_in, bin)], bins)))) AS at_risk
FROM
(
    SELECT {_TIE}, period, groupArray(bin) AS said_in, groupArray(gone) AS gone_in, groupArray(answers) AS answers_in,
        range(toUInt32(greatest(min(bin), 1) - 1), max(bin) + 1) AS bins
    FROM ({_COUNTED})
    GROUP BY {_TIE}, period
)"""

# Kaplan-Meier, Greenwood's sum, and the number of observations whose plain share would be as uncertain.
_CURVE = f"""
SELECT {_TIE}, period, bins, at_risk, waiting,
    arrayMap((left, sum, r) -> multiIf(left = 1, toFloat64(r), left > 0, (1 - left) / (left * sum), 0.),
        waiting, spread, at_risk) AS known
FROM
(
    SELECT *, arrayMap(sum -> exp(sum), arrayCumSum((d, r) -> log(1 - d / r), answers, at_risk)) AS waiting,
        arrayCumSum((d, r) -> if(r > d, d / (r * (r - d)), 0.), answers, at_risk) AS spread
    FROM ({_DENSE})
)"""

# Where all have answered the variance is nil and tells nothing: as much is known as in the bin before.
_POINTS = f"""
SELECT {_TIE}, period, at_risk[1] AS n, arrayJoin(arrayZip(
        arrayPushFront(arrayMap(bin -> {bin_start_s("(bin + 1)")}, bins), 0.),
        arrayPushFront(arrayMap(left -> 1 - left, waiting), 0.), arrayPushFront(at_risk, n),
        arrayPushFront(arrayMap((own, before, r) -> multiIf(own > 0, own, before > 0, before, toFloat64(r)),
            known, arrayPushFront(arrayPopBack(known), 0.), at_risk), inf))) AS point
FROM ({_CURVE})"""

_Z2 = 1.6448536269514722**2
TIE_ANSWERS = f"""{ASKED}, {alone()}, {_AS_OF_BY_RUN}
SELECT {_TIE}, waited_s, answered, greatest(0., middle - half) AS low, least(1., middle + half) AS high, at_risk,
    n, {_PERIOD}
FROM
(
    SELECT {_TIE}, period, n, point.1 AS waited_s, point.2 AS answered, point.3 AS at_risk, {_Z2!r} / point.4 AS z,
        (answered + z / 2) / (1 + z) AS middle, sqrt(z * (answered * (1 - answered) + z / 4)) / (1 + z) AS half
    FROM ({_POINTS})
)
ORDER BY process, communicator_role, experiencer_role, origin, waited_s"""

# What is stored once for an unordered pair is shown on both directions.
_MARKED_COLUMNS = "communicator_role, experiencer_role, dimension, origin, n, marks"
_MARKED = f"""
SELECT *, arrayJoin(if(dimension = 'frequency' AND communicator_role != experiencer_role,
        [(communicator_role, experiencer_role), (experiencer_role, communicator_role)],
        [(communicator_role, experiencer_role)])) AS direction
FROM ({asked_atoms(_MARKED_COLUMNS, "*")})
WHERE publishable"""

TIE_MARKS = f"""{ASKED}, {alone()}
SELECT process, communicator_role, experiencer_role, dimension, origin, said.1 AS mark, said.2 AS n, of, {_PERIOD}
FROM
(
    SELECT process, direction.1 AS communicator_role, direction.2 AS experiencer_role, dimension, origin, period,
        sum(a.n) AS of, arrayJoin(CAST(sumMap(marks), 'Array(Tuple(String, UInt64))')) AS said
    FROM ({_MARKED}) AS a
    GROUP BY process, communicator_role, experiencer_role, dimension, origin, period
)
ORDER BY process, communicator_role, experiencer_role, indexOf(['frequency'], dimension), dimension, origin, mark"""

TIE_HOURS = f"""{ASKED}, {alone()}
SELECT process, origin, toUInt8(intDiv(said.1, 24) + 1) AS day, toUInt8(said.1 % 24) AS hour, sum(said.2) AS handoffs
FROM
(
    {_handoffs("process, origin, arrayJoin(CAST(hours, 'Array(Tuple(UInt8, UInt64))')) AS said", "hours")}
)
GROUP BY process, origin, day, hour
ORDER BY process, origin, day, hour"""

TIE_FLOW = f"""{ASKED}, {alone()}
SELECT {_TIE}, period_start, handoffs, waited / handoffs AS waited_s, held / handoffs AS held_s,
    if(waited + held > 0, held / (waited + held), NULL) AS flow_efficiency
FROM
(
    SELECT {_TIE}, toDateTime(a.period_start, 'UTC') AS period_start, sum(flow_handoffs) AS handoffs,
        {exact_sum("flow_waited_s")} AS waited, {exact_sum("flow_held_s")} AS held
    FROM ({_handoffs("*", "period_start", "flow_handoffs", "flow_waited_s", "flow_held_s")}) AS a
    GROUP BY {_TIE}, period_start
)
WHERE handoffs > 0
ORDER BY process, communicator_role, experiencer_role, origin, period_start"""

CHART_VIEWS: dict[str, str] = {
    "tie_answers": TIE_ANSWERS,
    "tie_marks": TIE_MARKS,
    "tie_hours": TIE_HOURS,
    "tie_flow": TIE_FLOW,
}
"""Name to SELECT, in the order of creation."""


def migration() -> str:
    """The text of the migration that creates all chart views."""
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in CHART_VIEWS.items())


if __name__ == "__main__":
    print(migration(), end="")
