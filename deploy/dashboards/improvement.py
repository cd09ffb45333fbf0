"""Improvement: is the work changing, and where is it lost? For quality teams (control charts, Lean, Six Sigma, HRO)."""

from __future__ import annotations

from deploy.dashboards.asking import ONE_ROLE, OTHER_ROLE, PROCESS, RUN, SITE, of_period
from deploy.dashboards.dashboard import Dashboard, Section, Variable
from deploy.dashboards.panel import Bars, Column, ControlChart, Matrix, Panel, Query, Stat, Table, TimeSeries, text
from deploy.dashboards.ties import COVERED, DIMENSION_NAME, INFERRED, INTERVENTIONS, NAMES
from schemas.vocabulary import DIMENSIONS

_NOTHING = "No period of this process may be shown: too few people or work items in each, or nothing observed."
_DIMENSIONS = ", ".join(f"('{dimension}', '{NAMES[dimension].lower()}')" for dimension in DIMENSIONS)
_DIMENSION = Variable(
    name="dimension",
    label="Dimension",
    sql=f"SELECT d.1 AS value, d.2 AS label FROM (SELECT arrayJoin([{_DIMENSIONS}]) AS d) ORDER BY label",
    default="timeliness",
)
_PERIOD_COLUMNS = (Column("since", "time", "period from"), Column("until", "time", "period to"))
_PERIODS = "toDateTime(min(period_from)) AS since, toDateTime(max(period_to)) AS until"

RULE_SETS = {"nhs": "NHS making data count", "anhoej": "Anhøj", "limits": "limits only"}
"""As in `sinks.clickhouse.control_rules`; a test holds them together."""
_RULE_SET_TITLES = [f"'{RULE_SETS[name]}'" for name in ("nhs", "anhoej", "limits")]
_RULE_SETS = ", ".join(f"('{name}', '{title}')" for name, title in RULE_SETS.items())
_RULES = Variable(
    name="rules",
    label="Rules",
    sql=f"SELECT r.1 AS value, r.2 AS label FROM (SELECT arrayJoin([{_RULE_SETS}]) AS r) ORDER BY label",
    default="nhs",
)
"""Which rule set picks points out; see docs/method/charts.md."""


def _by_rules(nhs: str, anhoej: str, limits: str) -> str:
    """What is said by the chosen rule set."""
    return f"multiIf(${{rules:singlequote}} = 'anhoej', {anhoej}, ${{rules:singlequote}} = 'limits', {limits}, {nhs})"


_SPECIAL = _by_rules("beyond_limits OR shift OR trend OR near_limit", "long_run", "beyond_limits")
_VERDICT = _by_rules("verdict", "verdict_anhoej", "verdict_limits")
_NO_LIMITS = "fewer than 20 periods"

CONTROL_CHART = Panel(
    key="control-chart",
    title="Control chart: $one_role → $other_role",
    question=(
        "Did something change, or is it common cause only? Laney p′ with limits from the first 20 periods, and from 20"
        " new ones after an intervention: until then the old limits are drawn, and nothing is picked out by them."
    ),
    queries=(
        Query(
            f"""SELECT toDateTime(period_start) AS time, value, center, lower, upper, n, special, said AS verdict FROM
(
    SELECT *, {_SPECIAL} AS special, {_VERDICT} AS said
    FROM {of_period("tie_control")}
    WHERE dimension = ${{dimension:singlequote}}
        AND communicator_role = ${{one_role:singlequote}} AND experiencer_role = ${{other_role:singlequote}}
    ORDER BY origin LIMIT 1 BY period_start
)
ORDER BY time""",
            (
                Column("time", "time", "period"),
                Column("value", "share", "share that went well", decimals=2),
                Column("center", "share", nullable=True, when_null=_NO_LIMITS, decimals=2),
                Column("lower", "share", "lower limit", nullable=True, when_null=_NO_LIMITS, decimals=2),
                Column("upper", "share", "upper limit", nullable=True, when_null=_NO_LIMITS, decimals=2),
                Column("n", "count"),
                Column("special", "flag", "picked out by a rule"),
                text("verdict", hidden=True),
            ),
            time_series=True,
        ),
    ),
    visual=ControlChart(),
    no_data=f"{_NOTHING} Or these two roles have no tie in this dimension.",
    width=24,
    height=10,
)

LATENCY_CHART = Panel(
    key="latency-chart",
    title="Waiting for an answer: handoffs from $one_role to $other_role",
    question=(
        "Did the time until half of the handoffs were answered change? XmR on its logarithm; those still waiting are"
        " counted (Kaplan–Meier). A period in which fewer than half were answered has no such time and no point."
    ),
    queries=(
        Query(
            f"""SELECT toDateTime(period_start) AS time, median_s, center_s, lower_s, upper_s, n, special, unanswered,
    said AS verdict
FROM
(
    SELECT *, {_SPECIAL} AS special, {_VERDICT} AS said, periods_without_median AS unanswered
    FROM {of_period("tie_latency_control")}
    WHERE communicator_role = ${{other_role:singlequote}} AND experiencer_role = ${{one_role:singlequote}}
    ORDER BY origin LIMIT 1 BY period_start
)
ORDER BY time""",
            (
                Column("time", "time", "period"),
                Column("median_s", "seconds", "half answered within"),
                Column("center_s", "seconds", "center", nullable=True, when_null=_NO_LIMITS),
                Column("lower_s", "seconds", "lower limit", nullable=True, when_null=_NO_LIMITS),
                Column("upper_s", "seconds", "upper limit", nullable=True, when_null=_NO_LIMITS),
                Column("n", "count"),
                Column("special", "flag", "picked out by a rule"),
                Column("unanswered", "count", "periods left out: half were never answered"),
                text("verdict", hidden=True),
            ),
            time_series=True,
        ),
    ),
    visual=ControlChart("median_s", "center_s", "lower_s", "upper_s"),
    no_data=f"{_NOTHING} Or the first role hands nothing over to the other.",
    width=24,
    height=10,
)

VERDICTS = Panel(
    key="control-verdicts",
    title="What the control and run charts say",
    question="For each tie: common cause only, or something special? And how often would the rules be wrong?",
    queries=(
        Query(
            f"""SELECT communicator_role, experiencer_role, origin,
    replaceAll(said, '_', ' ') AS verdict, {_by_rules(*_RULE_SET_TITLES)} AS rule_set,
    c.rebased_at AS since, c.points AS points, of_all AS n, alarms AS false_alarms, c.longest_run AS longest_run,
    longest_run_limit AS run_limit, c.crossings AS crossings, c.crossings_limit AS crossings_limit
FROM
(
    SELECT *, {_VERDICT} AS said,
        {_by_rules("expected_false_alarms", "false_alarms_anhoej", "false_alarms_limits")} AS alarms,
        sum(n) OVER (PARTITION BY communicator_role, experiencer_role, origin, rebased_at) AS of_all
    FROM {of_period("tie_control")}
    WHERE dimension = ${{dimension:singlequote}}
    ORDER BY period_start DESC LIMIT 1 BY communicator_role, experiencer_role, origin
) AS c
ORDER BY communicator_role, experiencer_role, origin""",
            (
                text("communicator_role", "communication of"),
                text("experiencer_role", "as experienced by"),
                text("origin"),
                text("verdict"),
                text("rule_set", "rules"),
                Column("since", "time", "charted since", nullable=True, when_null="the start"),
                Column("points", "count", "periods"),
                Column("n", "count"),
                Column(
                    "false_alarms", "share", "charts in control that would show a signal", nullable=True, decimals=2
                ),
                Column("longest_run", "count", "longest run"),
                Column("run_limit", "count", "longest run expected (Anhøj)"),
                Column("crossings", "count"),
                Column("crossings_limit", "count", "fewest crossings expected (Anhøj)"),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NOTHING,
    width=24,
    height=9,
)

EFFECTS = Panel(
    key="effects",
    title="What came of interventions",
    question=(
        "What is different since, beside ties that were not touched? Interrupted time series; change of the share that"
        " went well, with a 95 % interval. Kept from the last `tieline interventions effect`."
    ),
    queries=(
        Query(
            f"""SELECT i.name AS name, concat(communicator_role, ' → ', experiencer_role, {INFERRED}) AS tie,
    {DIMENSION_NAME} AS what, replaceAll(verdict, '_', ' ') AS found, notes, change, low, high, basis,
    concat(toString(before), ' + ', toString(after)) AS windows, toUInt64(round(n_before + n_after)) AS n,
    toDateTime(from_at) AS since, toDateTime(to_at) AS until, toDateTime(computed_at) AS looked_at
FROM quality_effects AS e
INNER JOIN (SELECT process, site, intervention, name, started_at FROM quality_interventions) AS i
    ON i.process = e.process AND i.site = e.site AND i.intervention = e.intervention
WHERE e.run = ${{run:singlequote}} AND e.process = ${{process:singlequote}} AND ${{site:singlequote}} IN ('', e.site)
    AND i.started_at <= $__toTime AND coalesce(e.to_at, i.started_at) >= $__fromTime
ORDER BY name, tie, what""",
            (
                text("name", "intervention"),
                text("tie", "communication of → as experienced by"),
                text("what", "dimension"),
                text("found", "what it says"),
                Column("notes", "list", "to keep in mind"),
                Column("change", "number", nullable=True, decimals=3),
                Column("low", "number", "from", nullable=True, decimals=3),
                Column("high", "number", "to", nullable=True, decimals=3),
                text("basis", "judged"),
                text("windows", "periods before + after"),
                Column("n", "count"),
                Column("since", "time", "period from", nullable=True),
                Column("until", "time", "to", nullable=True),
                Column("looked_at", "time", "looked at"),
            ),
        ),
    ),
    visual=Table(),
    no_data="No intervention is registered here, or nobody has looked yet: `tieline interventions effect` does.",
    width=24,
    height=9,
)

_DAYS = "['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']"
HOURS = Panel(
    key="hours",
    title="Handoffs by hour of the week",
    question="When are handoffs offered? In the receiving role's local time; ties that may be shown only.",
    queries=(
        Query(
            f"""SELECT concat(toString(day), ' ', arrayElement({_DAYS}, day)) AS weekday,
    leftPad(toString(hour), 2, '0') AS hour_of_day, toString(sum(handoffs)) AS figure, sum(handoffs) AS observations
FROM {of_period("tie_hours")}
GROUP BY day, hour ORDER BY day, hour""",
            (
                text("weekday", "day"),
                text("hour_of_day", "hour"),
                text("figure", "handoffs"),
                Column("observations", "count", hidden=True),
            ),
        ),
    ),
    visual=Matrix("weekday", "hour_of_day", "figure", "observations"),
    no_data=_NOTHING,
    width=24,
    height=9,
)

PARETO = Panel(
    key="pareto",
    title="Why handovers and messages were not accurate",
    question="Which kind of error would be worth removing first? All ties that may be shown, together.",
    queries=(
        Query(
            f"""SELECT replaceAll(mark, '_', ' ') AS reason, sum(m.n) AS times,
    sum(times) OVER (ORDER BY times DESC, reason ROWS UNBOUNDED PRECEDING) / sum(times) OVER () AS cumulative,
    {_PERIODS}
FROM {of_period("tie_marks")} AS m
WHERE dimension = 'accuracy'
GROUP BY reason ORDER BY times DESC, reason""",
            (
                text("reason"),
                Column("times", "count"),
                Column("cumulative", "share", "together with those before", decimals=2),
                *_PERIOD_COLUMNS,
            ),
        ),
    ),
    visual=Bars("reason", "times", "cumulative"),
    no_data="No inaccuracy was named in any tie that may be shown, or accuracy is not observed in this process.",
    width=12,
    height=10,
)

FLOW_EFFICIENCY = Panel(
    key="flow-efficiency",
    title="Waiting and being worked on",
    question="Of the time from offer to the end of the receiver's turn, how much was waiting to be accepted?",
    queries=(
        Query(
            f"""SELECT toDateTime(period_start) AS time, sum(held_s * handoffs) / sum(handoffs) / 3600 AS held_h,
    sum(waited_s * handoffs) / sum(handoffs) / 3600 AS waited_h, held_h / (held_h + waited_h) AS efficiency,
    sum(handoffs) AS n
FROM {of_period("tie_flow")}
GROUP BY time HAVING n > 0 ORDER BY time""",
            (
                Column("time", "time", "period"),
                Column("held_h", "number", "hours accepted", decimals=1),
                Column("waited_h", "number", "hours waiting", decimals=1),
                Column("efficiency", "share", "flow efficiency", nullable=True, decimals=2),
                Column("n", "count"),
            ),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("waited_h", "held_h"), style="bars", stacked=True),
    no_data=_NOTHING,
    width=12,
    height=10,
)

# The tail of the normal distribution, inverted: Abramowitz and Stegun 26.2.23, off by less than 0.00045.
_SIGMA = """if(share <= 0 OR share >= 1, NULL, 1.5 + if(share < 0.5, 1, -1) *
    (t - (2.515517 + 0.802853 * t + 0.010328 * t * t)
    / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)))"""
DEFECTS = Panel(
    key="defects",
    title="Inaccurate handoffs per million",
    question="How many of a million handoffs would turn out inaccurate? Sigma level with the customary shift of 1.5.",
    queries=(
        Query(
            f"""SELECT toUInt64(round(1e6 * share)) AS per_million, {_SIGMA} AS sigma_level, defects,
    opportunities AS n, since, until
FROM
(
    SELECT defects / opportunities AS share, sqrt(-2 * log(least(share, 1 - share))) AS t, * FROM
    (
        SELECT sum(n_by_rule['handoff_accuracy']) AS opportunities, toDateTime(min(period_start)) AS since,
            toDateTime(max(period_end)) AS until, toUInt64(round(sum(n) - sum(s))) -
            (SELECT sum(m.n) FROM {of_period("tie_marks")} AS m WHERE dimension = 'accuracy' AND mark = 'corrected')
            AS defects
        FROM {of_period("tie_periods")} WHERE dimension = 'accuracy'
    )
    WHERE opportunities > 0
)""",
            (
                Column("per_million", "count", "per million"),
                Column("sigma_level", "number", "sigma level", nullable=True, when_null="no defect seen", decimals=1),
                Column("defects", "count", "inaccurate handoffs"),
                Column("n", "count", "handoffs looked at"),
                *_PERIOD_COLUMNS,
            ),
        ),
    ),
    visual=Stat("per_million"),
    no_data="Accuracy is not observed in this process, or no tie may be shown.",
    width=12,
    height=6,
)

OVERDUE_NOW = Panel(
    key="overdue-now",
    title="Weak signals: overdue now",
    question="How many open handoffs of this process are overdue at this moment?",
    queries=(
        Query(
            """SELECT countIf(overdue) AS overdue, count() AS open FROM open_handoffs
WHERE run = 'live' AND process = ${process:singlequote} AND ${site:singlequote} IN ('', site)""",
            (Column("overdue", "count"), Column("open", "count", "of open")),
        ),
    ),
    visual=Stat("overdue"),
    no_data="No handoff is open.",
    audience="operations",
    width=12,
    height=6,
)

WEAK_SIGNALS = Panel(
    key="weak-signals",
    title="Weak signals: late, bounced, unanswered",
    question="What small things went otherwise than meant, and how often? Worth a conversation before they grow.",
    queries=(
        Query(
            f"""SELECT concat({DIMENSION_NAME}, ': ', replaceAll(mark, '_', ' ')) AS what, sum(m.n) AS times,
    sum(m.of) AS of_n, times / of_n AS share
FROM {of_period("tie_marks")} AS m
WHERE dimension IN ('timeliness', 'problem_solving')
GROUP BY dimension, mark ORDER BY what""",
            (
                text("what"),
                Column("times", "count"),
                Column("of_n", "count", "observations of ties where it occurred"),
                Column("share", "share", decimals=2),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NOTHING,
    width=24,
    height=10,
)

IMPROVEMENT = Dashboard(
    key="improvement",
    title="Improvement",
    for_whom="quality teams",
    about="Is the work changing, and where is it lost? Interventions are marked on every time axis.",
    sections=(
        Section("Is it changing?", (COVERED, CONTROL_CHART, LATENCY_CHART, VERDICTS, EFFECTS)),
        Section("Where it is lost", (PARETO, FLOW_EFFICIENCY, DEFECTS, OVERDUE_NOW)),
        Section("When, and what to talk about", (HOURS, WEAK_SIGNALS)),
    ),
    variables=(PROCESS, RUN, SITE, _DIMENSION, _RULES, ONE_ROLE, OTHER_ROLE),
    annotations=(INTERVENTIONS,),
    time_from="now-1y",
)
