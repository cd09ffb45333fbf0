"""Ties: how well roles' communication works, as the other role experiences it. For everyone who does the work."""

from __future__ import annotations

from deploy.dashboards.asking import FIGURE, IN_PROCESSES, ONE_ROLE, OTHER_ROLE, PROCESS, RUN, SITE, of_period
from deploy.dashboards.dashboard import Annotation, Dashboard, Section
from deploy.dashboards.panel import Bars, Column, Curve, Graph, Matrix, Panel, Query, Table, TimeSeries, text
from schemas.vocabulary import DIMENSIONS

_NO_TIE = "No tie in this period: no handoff, message or problem between two roles of this process was seen."
_NO_ATOM = (
    "Nothing can be shown for this tie and period. The table above says why: not observed, too few people, or not"
    " enough data."
)
_QUESTIONS = {
    "frequency": "Is there enough contact about a handoff, and not too much?",
    "timeliness": "Does the row's role answer in time, as the column's role experiences it?",
    "accuracy": "Is what the row's role hands over right and complete, as the column's role finds it?",
    "problem_solving": "Does the row's role move problems forward, as the column's role experiences it?",
}
NAMES = {
    "frequency": "Frequency",
    "timeliness": "Timeliness",
    "accuracy": "Accuracy",
    "problem_solving": "Problem-solving",
}
DIMENSION_NAME = (
    "transform(toString(dimension), ["
    + ", ".join(f"'{dimension}'" for dimension in DIMENSIONS)
    + "], ["
    + ", ".join(f"'{NAMES[dimension].lower()}'" for dimension in DIMENSIONS)
    + "], toString(dimension))"
)
INFERRED = "if(origin = 'inferred', ' (inferred from ownership)', '')"
# Not `if(status = 'shown', …)`: the engine would put the estimate off, and compute it less well (docs/adr/0011).
TIE_FIGURE = f"ifNull({FIGURE}, status)"
_PAIR = """((communicator_role = ${one_role:singlequote} AND experiencer_role = ${other_role:singlequote})
    OR (communicator_role = ${other_role:singlequote} AND experiencer_role = ${one_role:singlequote}))"""


COVERED = Panel(
    key="covered",
    title="What these figures cover",
    question="Which whole periods, how many observations, and how many of the ties can be shown?",
    queries=(
        Query(
            f"""SELECT toDateTime(min(period_from)) AS since, toDateTime(max(period_to)) AS until,
    uniqExactIf((communicator_role, experiencer_role), status = 'shown') AS ties_shown,
    uniqExactIf((communicator_role, experiencer_role), startsWith(status, 'hidden')) AS ties_hidden,
    uniqExact((communicator_role, experiencer_role)) AS all_ties,
    sumIf(t.n, dimension != 'frequency' OR communicator_role <= experiencer_role) AS n,
    sumIf(t.pending, dimension != 'frequency' OR communicator_role <= experiencer_role) AS pending
FROM {of_period("ties")} AS t HAVING count() > 0""",
            (
                Column("since", "time", "period from"),
                Column("until", "time", "to"),
                Column("ties_shown", "count", "ties with something shown"),
                Column("ties_hidden", "count", "with something hidden: too few people"),
                Column("all_ties", "count", "of ties"),
                Column("n", "count", "observations", nullable=True, when_null="none shown"),
                Column("pending", "count", nullable=True, when_null="none shown"),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NO_TIE,
    width=24,
    height=4,
)


def _matrix(dimension: str) -> Panel:
    return Panel(
        key=f"matrix-{dimension.replace('_', '-')}",
        title=f"{NAMES[dimension]}: role by role",
        question=f"{_QUESTIONS[dimension]} Share of observations that went well, its interval, and how many.",
        queries=(
            Query(
                f"""SELECT communicator_role, experiencer_role,
    arrayStringConcat(groupArray(concat({TIE_FIGURE}, {INFERRED})), ' | ') AS figure,
    sum(ifNull(n, 0)) AS observations
FROM (SELECT * FROM {of_period("ties")} WHERE dimension = '{dimension}' ORDER BY origin)
GROUP BY communicator_role, experiencer_role ORDER BY communicator_role, experiencer_role""",
                (
                    text("communicator_role", "communication of"),
                    text("experiencer_role", "as experienced by"),
                    text("figure"),
                    Column("observations", "count", hidden=True),
                ),
            ),
        ),
        visual=Matrix("communicator_role", "experiencer_role", "figure", "observations"),
        no_data=_NO_TIE,
        width=12,
        height=10,
    )


ROLE_MAP = Panel(
    key="role-map",
    title="Role map",
    question="Who works with whom, and how much was observed in each direction? Width: number of observations.",
    queries=(
        Query(
            f"""SELECT role AS id, role AS title, toString(count()) AS mainstat, 'ties' AS subtitle FROM
(SELECT DISTINCT communicator_role AS role, experiencer_role FROM {of_period("ties")})
GROUP BY role ORDER BY role""",
            (text("id", hidden=True), text("title", "role"), text("mainstat", "ties"), text("subtitle", hidden=True)),
            ref="nodes",
        ),
        Query(
            f"""SELECT concat(source, ' → ', target) AS id, source, target,
    if(shown > 0, concat('n ', toString(observations)), reason) AS mainstat,
    concat(toString(shown), ' of 4 dimensions shown') AS secondarystat,
    1 + 9 * observations / greatest(1, max(observations) OVER ()) AS thickness, observations
FROM
(
    SELECT communicator_role AS source, experiencer_role AS target, sum(ifNull(n, 0)) AS observations,
        uniqExactIf(dimension, status = 'shown') AS shown,
        multiIf(countIf(startsWith(status, 'hidden')) > 0, 'hidden: too few people',
            countIf(status = 'not enough data') > 0, 'not enough data', 'not observed') AS reason
    FROM {of_period("ties")} GROUP BY source, target
)
ORDER BY source, target""",
            (
                text("id", hidden=True),
                text("source", "communication of"),
                text("target", "as experienced by"),
                text("mainstat", "observations"),
                text("secondarystat", "shown"),
                Column("thickness", "number", hidden=True),
                Column("observations", "count", hidden=True),
            ),
            ref="edges",
        ),
    ),
    visual=Graph(),
    no_data=_NO_TIE,
    width=24,
    height=14,
)


def _direction(key: str, title: str, communicator: str, experiencer: str) -> Panel:
    return Panel(
        key=key,
        title=title,
        question="What can be said of this direction, on how much, and what is left out?",
        queries=(
            Query(
                f"""SELECT concat({DIMENSION_NAME}, {INFERRED}) AS what, status, estimate, low, high, n,
    pending, work_items, hidden_share
FROM {of_period("ties")}
WHERE communicator_role = ${{{communicator}:singlequote}} AND experiencer_role = ${{{experiencer}:singlequote}}
ORDER BY what""",
                (
                    text("what", "dimension"),
                    text("status"),
                    Column("estimate", "share", nullable=True, decimals=2),
                    Column("low", "share", "from", nullable=True, decimals=2),
                    Column("high", "share", "to", nullable=True, decimals=2),
                    Column("n", "count", nullable=True),
                    Column("pending", "count", nullable=True),
                    Column("work_items", "count", "work items", nullable=True),
                    Column("hidden_share", "share", "share of work hidden", nullable=True, decimals=1),
                ),
            ),
        ),
        visual=Table(),
        no_data="These two roles have no tie in this period.",
        width=12,
        height=8,
    )


def _trend(key: str, title: str, communicator: str, experiencer: str) -> Panel:
    return Panel(
        key=key,
        title=title,
        question="How did the share that went well change from period to period? Only periods that may be shown.",
        queries=(
            Query(
                f"""SELECT toDateTime(period_start) AS time, concat({DIMENSION_NAME}, {INFERRED}) AS series,
    sum(p.s) / sum(p.n) AS value, sum(p.n) AS n
FROM {of_period("tie_periods")} AS p
WHERE communicator_role = ${{{communicator}:singlequote}} AND experiencer_role = ${{{experiencer}:singlequote}}
GROUP BY time, series ORDER BY time, series""",
                (
                    Column("time", "time", "period"),
                    text("series", "dimension"),
                    Column("value", "share", "share that went well", decimals=2),
                    Column("n", "count"),
                ),
                time_series=True,
            ),
        ),
        visual=TimeSeries(("value",), style="points", share=True),
        no_data=_NO_ATOM,
        width=12,
        height=9,
    )


ANSWER_CURVE = Panel(
    key="answer-curve",
    title="Answer to handoff",
    question=(
        "How many handoffs were answered within a given time? Those still waiting, or gone unanswered, are counted"
        " (Kaplan–Meier). It mixes communication with workload."
    ),
    queries=(
        Query(
            f"""SELECT waited_s / 60 AS waited_min, answered, low, high,
    concat(communicator_role, ' answers ', experiencer_role, {INFERRED}, ', n ', toString(n)) AS series, at_risk
FROM {of_period("tie_answers")}
WHERE {_PAIR}
ORDER BY series, waited_min""",
            (
                Column("waited_min", "number", "minutes since the offer", decimals=1),
                Column("answered", "share", decimals=2),
                Column("low", "share", "from", decimals=2),
                Column("high", "share", "to", decimals=2),
                text("series", "who"),
                Column("at_risk", "count", "still waiting before"),
            ),
        ),
    ),
    visual=Curve("waited_min", "answered", "series", "low", "high", logarithmic=True),
    no_data=_NO_ATOM,
    width=12,
    height=10,
)

REASONS = Panel(
    key="reasons",
    title="What was wrong with what was handed over",
    question="What did receivers name: missing, wrong, contradictory, or meant for another role?",
    queries=(
        Query(
            f"""SELECT concat(communicator_role, ' → ', experiencer_role, ': ', replaceAll(mark, '_', ' ')) AS reason,
    sum(tie_marks.n) AS times, max(of) AS handovers
FROM {of_period("tie_marks")} AS tie_marks
WHERE dimension = 'accuracy' AND {_PAIR}
GROUP BY reason ORDER BY reason""",
            (text("reason"), Column("times", "count"), Column("handovers", "count", "of so many")),
        ),
    ),
    visual=Bars("reason", "times"),
    no_data="No inaccuracy was named, or accuracy of this tie cannot be shown; the tables above say which.",
    width=12,
    height=10,
)

SOURCES = Panel(
    key="sources",
    title="Data quality of the sources",
    question="How far can the events behind these figures be trusted?",
    queries=(
        Query(
            """SELECT s.source AS source, s.events AS events, s.coverage AS coverage, s.late AS late, s.bots AS bots,
    s.nobody AS nobody, s.skew_s AS skew_s, s.ahead AS ahead, r.unknown_roles AS unknown_roles
FROM
(
    SELECT source, sum(p.events) AS events,
        uniqExact(toDate(hour)) / greatest(1, dateDiff('day', $__fromTime, $__toTime) + 1) AS coverage,
        sum(p.late) / events AS late, sum(bot + system) / events AS bots, sum(unknown) / events AS nobody,
        median(skew_s_median) AS skew_s, sum(p.ahead) / events AS ahead
    FROM pipeline_sources AS p WHERE process = ${process:singlequote} AND $__timeFilter(hour) GROUP BY source
) AS s
LEFT JOIN
(
    SELECT source, if(countIf(isNull(known)) > 0, NULL, sumIf(events, NOT known) / sum(events)) AS unknown_roles
    FROM pipeline_roles WHERE process = ${process:singlequote} GROUP BY source
) AS r ON r.source = s.source
ORDER BY source""",
            (
                text("source"),
                Column("events", "count"),
                Column("coverage", "share", "days with events", decimals=2),
                Column("late", "share", "late", decimals=3),
                Column("bots", "share", "by bots and systems", decimals=2),
                Column("nobody", "share", "by unknown actors", decimals=2),
                Column("skew_s", "seconds", "typical delay"),
                Column("ahead", "share", "ahead of the clock", decimals=3),
                Column("unknown_roles", "share", "unknown roles", nullable=True, when_null="the policy names no roles"),
            ),
        ),
    ),
    visual=Table(),
    no_data="No event of this process arrived in this period.",
    audience="pipeline",
    width=24,
    height=8,
)


def _interventions(processes: str) -> Annotation:
    return Annotation(
        name="Interventions",
        sql=f"""SELECT toDateTime(started_at) AS time, toDateTime(ended_at) AS timeEnd, name AS title,
    concat(kind, if(hypothesis = '', '', concat(': ', hypothesis))) AS text, 'intervention' AS tags
FROM quality_interventions
WHERE {processes} AND started_at <= $__toTime AND (isNull(ended_at) OR ended_at >= $__fromTime)
ORDER BY time""",
    )


INTERVENTIONS = _interventions("process = ${process:singlequote}")
INTERVENTIONS_OF_ANY = _interventions(IN_PROCESSES)
"""Where several processes may be chosen."""

TIES = Dashboard(
    key="ties",
    title="Ties",
    for_whom="everyone who does the work",
    about="One role's communication as another role experiences it. No ranking: rows are in alphabetical order.",
    sections=(
        Section("Role by role", (COVERED, *(_matrix(dimension) for dimension in DIMENSIONS))),
        Section("Role map", (ROLE_MAP,)),
        Section(
            "One tie, both directions",
            (
                _direction("tie-there", "$one_role → $other_role", "one_role", "other_role"),
                _direction("tie-back", "$other_role → $one_role", "other_role", "one_role"),
                _trend("trend-there", "Trend: $one_role → $other_role", "one_role", "other_role"),
                _trend("trend-back", "Trend: $other_role → $one_role", "other_role", "one_role"),
                ANSWER_CURVE,
                REASONS,
            ),
        ),
        Section("Where the figures come from", (SOURCES,)),
    ),
    variables=(PROCESS, RUN, SITE, ONE_ROLE, OTHER_ROLE),
    annotations=(INTERVENTIONS,),
)
