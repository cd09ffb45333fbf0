"""Retrospective: two runs side by side over a period. What is different, and by how much?"""

from __future__ import annotations

from deploy.dashboards.asking import PROCESS, RUN, SITE, of_period
from deploy.dashboards.dashboard import Dashboard, Section, Variable
from deploy.dashboards.panel import Column, Matrix, Panel, Query, Table, TimeSeries, text
from deploy.dashboards.ties import COVERED, DIMENSION_NAME, INFERRED, INTERVENTIONS, TIE_FIGURE

_COMPARE = Variable(
    name="compare",
    label="Compared with",
    sql="""SELECT DISTINCT run FROM quality_processes WHERE process = ${process:singlequote}
ORDER BY run = ${run:singlequote}, run""",
)
_NOTHING = "No tie may be shown in both runs for this period."
_OTHER = "${compare:singlequote}"

CHANGES = Panel(
    key="run-changes",
    title="What is different: $compare against $run",
    question=(
        "By how much do the two runs differ, tie by tie? Only periods that may be shown in both; shares as counted, not"
        " drawn towards the mean. An interval that holds 0 says: no difference to be seen."
    ),
    queries=(
        Query(
            f"""SELECT communicator_role, experiencer_role, concat({DIMENSION_NAME}, {INFERRED}) AS what, status,
    periods, n, value, compare_n, compare_value, change, low, high
FROM {of_period("run_changes", compare=_OTHER)}
ORDER BY communicator_role, experiencer_role, what""",
            (
                text("communicator_role", "communication of"),
                text("experiencer_role", "as experienced by"),
                text("what", "dimension"),
                text("status"),
                Column("periods", "count"),
                Column("n", "count", nullable=True),
                Column("value", "share", "share that went well", nullable=True, decimals=2),
                Column("compare_n", "count", "n, compared", nullable=True),
                Column("compare_value", "share", "share, compared", nullable=True, decimals=2),
                Column("change", "number", nullable=True, decimals=2),
                Column("low", "number", "from", nullable=True, decimals=2),
                Column("high", "number", "to", nullable=True, decimals=2),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NOTHING,
    width=24,
    height=12,
)


def _ties(key: str, title: str, run: str) -> Panel:
    return Panel(
        key=key,
        title=title,
        question="What did this run find? Every dimension that can be shown, with interval and number of observations.",
        queries=(
            Query(
                f"""SELECT concat(communicator_role, ' → ', experiencer_role, {INFERRED}) AS tie,
    {DIMENSION_NAME} AS what, {TIE_FIGURE} AS figure, ifNull(n, 0) AS observations
FROM {of_period("ties", run=run)} ORDER BY tie, what""",
                (
                    text("tie", "communication of → experienced by"),
                    text("what", "dimension"),
                    text("figure"),
                    Column("observations", "count", hidden=True),
                ),
            ),
        ),
        visual=Matrix("tie", "what", "figure", "observations"),
        no_data="No tie in this period.",
        width=12,
        height=12,
    )


BOTH = Panel(
    key="both-over-time",
    title="Both runs over time",
    question="How did the share that went well run in each, over the periods and ties that may be shown in both?",
    queries=(
        Query(
            f"""SELECT toDateTime(period_start) AS time, concat(what, ', ', which) AS series,
    sum(x.s) / sum(x.n) AS value, sum(x.n) AS n
FROM
(
    SELECT a.period_start AS period_start, {DIMENSION_NAME} AS what,
        arrayJoin([(a.s, a.n, ${{run:singlequote}}),
            (b.s, b.n, concat(${{compare:singlequote}}, ' (compared)'))]) AS one,
        one.1 AS s, one.2 AS n, one.3 AS which
    FROM {of_period("tie_periods")} AS a
    INNER JOIN {of_period("tie_periods", run=_OTHER)} AS b
        USING (process, site, communicator_role, experiencer_role, dimension, origin, period_start)
) AS x
GROUP BY time, series ORDER BY time, series""",
            (
                Column("time", "time", "period"),
                text("series", "dimension and run"),
                Column("value", "share", "share that went well", decimals=2),
                Column("n", "count"),
            ),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("value",), style="points", share=True),
    no_data=_NOTHING,
    width=24,
    height=10,
)

RETROSPECTIVE = Dashboard(
    key="retrospective",
    title="Retrospective",
    for_whom="teams that look back",
    about="Two runs of the inference side by side: another policy, another point in time, a repaired source.",
    sections=(
        Section("What is different", (COVERED, CHANGES)),
        Section("Side by side", (_ties("run", "$run", "${run:singlequote}"), _ties("compared", "$compare", _OTHER))),
        Section("Over time", (BOTH,)),
    ),
    variables=(PROCESS, RUN, _COMPARE, SITE),
    annotations=(INTERVENTIONS,),
)
