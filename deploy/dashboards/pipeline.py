"""Pipeline: do events arrive, are they used, and is anything left behind? For data engineers."""

from __future__ import annotations

from deploy.dashboards.asking import IN_PROCESSES, PROCESSES
from deploy.dashboards.dashboard import Dashboard, Section
from deploy.dashboards.panel import Bars, Column, Panel, Query, Stat, Table, TimeSeries, text
from deploy.dashboards.ties import INTERVENTIONS_OF_ANY

_NO_MEASURE = "No worker has reported in this time: none runs, or the sink does not write."
_NO_EVENT = "No event arrived in this time."


def _measured(key: str, title: str, question: str, select: str, columns: tuple[Column, ...]) -> Panel:
    return Panel(
        key=key,
        title=title,
        question=question,
        queries=(
            Query(
                f"""SELECT $__timeInterval(at) AS time, app, {select}
FROM pipeline_measures WHERE $__timeFilter(at) GROUP BY time, app ORDER BY time, app""",
                (Column("time", "time"), text("app"), *columns),
                time_series=True,
            ),
        ),
        visual=TimeSeries(tuple(column.name for column in columns)),
        no_data=_NO_MEASURE,
        audience="pipeline",
        width=12,
        height=8,
    )


LAG = _measured(
    "lag",
    "Lag",
    "How old was the newest record when it was handled? The worst of the workers.",
    "max(lag_s) AS lag_s",
    (Column("lag_s", "seconds", "lag"),),
)
THROUGHPUT = _measured(
    "throughput",
    "Throughput",
    "How many records does each app handle per second?",
    "sum(events) / greatest(1, sum(interval_s)) * uniqExact(worker) AS per_s",
    (Column("per_s", "number", "records per second", decimals=1),),
)
BATCHES = _measured(
    "batch-times",
    "Batch times",
    "How long does a batch take: on average, and at most?",
    "sum(batch_ms_mean * batches) / greatest(1, sum(batches)) / 1000 AS mean_s, max(batch_ms_max) / 1000 AS longest_s",
    (Column("mean_s", "seconds", "mean"), Column("longest_s", "seconds", "longest")),
)
ARRIVING = Panel(
    key="arriving",
    title="Events by source",
    question="How many events did each source send per hour?",
    queries=(
        Query(
            f"""SELECT hour AS time, source, sum(s.events) AS events FROM pipeline_sources AS s
WHERE $__timeFilter(hour) AND {IN_PROCESSES} GROUP BY time, source ORDER BY time, source""",
            (Column("time", "time"), text("source"), Column("events", "count")),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("events",), style="bars", stacked=True),
    no_data=_NO_EVENT,
    audience="pipeline",
    width=12,
    height=8,
)
REFUSED = Panel(
    key="dead-letters",
    title="Dead letters by reason",
    question="What could not be used, and why?",
    queries=(
        Query(
            """SELECT concat(stage, ': ', code) AS reason, sum(d.letters) AS letters FROM pipeline_dead_letters AS d
WHERE $__timeFilter(hour) GROUP BY reason ORDER BY reason""",
            (text("reason"), Column("letters", "count", "dead letters")),
        ),
    ),
    visual=Bars("reason", "letters"),
    no_data="Nothing was refused in this time.",
    audience="pipeline",
    width=12,
    height=8,
)
REFUSED_OVER_TIME = Panel(
    key="dead-letters-over-time",
    title="Dead letters over time",
    question="Since when is it refused?",
    queries=(
        Query(
            """SELECT hour AS time, concat(stage, ': ', code) AS reason, sum(d.letters) AS letters
FROM pipeline_dead_letters AS d WHERE $__timeFilter(hour) GROUP BY time, reason ORDER BY time, reason""",
            (Column("time", "time"), text("reason"), Column("letters", "count", "dead letters")),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("letters",), style="bars", stacked=True),
    no_data="Nothing was refused in this time.",
    audience="pipeline",
    width=12,
    height=8,
)
LATE = Panel(
    key="late",
    title="Late events",
    question="How many events came for work items that were closed and put away? They are repaired, not lost.",
    queries=(
        Query(
            f"""SELECT hour AS time, sum(s.late) AS late FROM pipeline_sources AS s
WHERE $__timeFilter(hour) AND {IN_PROCESSES} GROUP BY time ORDER BY time""",
            (Column("time", "time"), Column("late", "count", "late events")),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("late",), style="bars"),
    no_data=_NO_EVENT,
    audience="pipeline",
    width=12,
    height=8,
)
SOURCES = Panel(
    key="source-quality",
    title="Sources",
    question="What does each source send: by whom, how late, and with a clock how far off?",
    queries=(
        Query(
            f"""SELECT process, source, sum(s.events) AS events, sum(bot + system) / events AS bots,
    sum(unknown) / events AS nobody, sum(s.late) / events AS late, median(skew_s_median) AS skew_s,
    max(skew_s_p99) AS skew_most_s, sum(s.ahead) / events AS ahead
FROM pipeline_sources AS s WHERE $__timeFilter(hour) AND {IN_PROCESSES}
GROUP BY process, source ORDER BY process, source""",
            (
                text("process"),
                text("source"),
                Column("events", "count"),
                Column("bots", "share", "by bots and systems", decimals=2),
                Column("nobody", "share", "by unknown actors", decimals=2),
                Column("late", "share", decimals=3),
                Column("skew_s", "seconds", "received after, typically"),
                Column("skew_most_s", "seconds", "received after, 99 %"),
                Column("ahead", "share", "ahead of the clock", decimals=3),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NO_EVENT,
    audience="pipeline",
    width=24,
    height=8,
)
ROLES = Panel(
    key="unknown-roles",
    title="Roles that the policy does not name",
    question="Which roles arrive that nobody has told Tieline about? Often an alias is missing.",
    queries=(
        Query(
            f"""SELECT process, source, role, sum(r.events) AS events FROM pipeline_roles AS r
WHERE known = 0 AND {IN_PROCESSES} GROUP BY process, source, role ORDER BY process, source, role LIMIT 200""",
            (text("process"), text("source"), text("role"), Column("events", "count")),
        ),
    ),
    visual=Table(),
    no_data="None; or the policy lists no `roles`, and then nothing can be called unknown.",
    audience="pipeline",
    width=12,
    height=9,
)
TABLES = Panel(
    key="tables",
    title="Tables",
    question="What does the store hold, and has it put a damaged part aside?",
    queries=(
        Query(
            "SELECT table, rows, bytes, parts, detached_parts FROM pipeline_tables ORDER BY table",
            (
                text("table"),
                Column("rows", "count"),
                Column("bytes", "bytes", "on disk"),
                Column("parts", "count"),
                Column("detached_parts", "count", "detached parts"),
            ),
        ),
    ),
    visual=Table(),
    no_data="The store has no tables.",
    audience="pipeline",
    width=12,
    height=9,
)
DETACHED = Panel(
    key="detached",
    title="Detached parts",
    question="Has the store put damaged data aside? It does so without saying.",
    queries=(
        Query(
            "SELECT sum(t.detached_parts) AS detached_parts, sum(t.bytes) AS bytes FROM pipeline_tables AS t",
            (Column("detached_parts", "count", "detached parts"), Column("bytes", "bytes", "on disk, all tables")),
        ),
    ),
    visual=Stat("detached_parts"),
    no_data="The store has no tables.",
    audience="pipeline",
    width=8,
    height=4,
)
REFUSED_SHARE = Panel(
    key="dead-letter-share",
    title="Share refused",
    question="Of everything that arrived, how much could not be used?",
    queries=(
        Query(
            """SELECT letters / greatest(1, letters + events) AS refused, letters, events FROM
(
    SELECT (SELECT sum(d.letters) FROM pipeline_dead_letters AS d WHERE $__timeFilter(hour)) AS letters,
        (SELECT sum(s.events) FROM pipeline_sources AS s WHERE $__timeFilter(hour)) AS events
)
WHERE letters + events > 0""",
            (
                Column("refused", "share", "refused", decimals=3),
                Column("letters", "count", "dead letters"),
                Column("events", "count", "events"),
            ),
        ),
    ),
    visual=Stat("refused"),
    no_data=_NO_EVENT,
    audience="pipeline",
    width=8,
    height=4,
)
NEWEST = Panel(
    key="newest",
    title="Newest event",
    question="How long ago did the newest event arrive?",
    queries=(
        Query(
            f"""SELECT min(received_age_s) AS age_s, count() AS processes
FROM freshness WHERE {IN_PROCESSES} HAVING count() > 0""",
            (Column("age_s", "seconds", "since the newest event"), Column("processes", "count")),
        ),
    ),
    visual=Stat("age_s"),
    no_data="No event has arrived yet.",
    audience="operations",
    width=8,
    height=4,
)

PIPELINE = Dashboard(
    key="pipeline",
    title="Pipeline",
    for_whom="data engineers",
    about="Do events arrive, are they used, and is anything left behind?",
    sections=(
        Section("Now", (NEWEST, REFUSED_SHARE, DETACHED)),
        Section("The apps", (LAG, THROUGHPUT, BATCHES, ARRIVING)),
        Section("What could not be used, or came late", (REFUSED, REFUSED_OVER_TIME, LATE, ROLES)),
        Section("Sources and store", (SOURCES, TABLES)),
    ),
    variables=(PROCESSES,),
    annotations=(INTERVENTIONS_OF_ANY,),
    refresh_s=30,
    time_from="now-24h",
)
