"""Live handoffs: what is open now, for the people who run the shift. Counts of work, never of people."""

from __future__ import annotations

from deploy.dashboards.asking import IN_PROCESSES, PROCESSES
from deploy.dashboards.dashboard import Dashboard, Section, Variable
from deploy.dashboards.panel import Bars, Column, Panel, Query, Stat, Table, Threshold, TimeSeries, text
from deploy.dashboards.ties import DIMENSION_NAME, INFERRED, INTERVENTIONS_OF_ANY

_SITE = "$__conditionalAll(site IN (${site:singlequote}), $site)"
_ROLE = "$__conditionalAll(to_role IN (${role:singlequote}), $role)"
_URGENCY = "$__conditionalAll(urgency IN (${urgency:singlequote}), $urgency)"
_OPEN = f"""FROM open_handoffs
WHERE run = 'live' AND {IN_PROCESSES} AND {_SITE} AND {_ROLE} AND {_URGENCY}"""
_NOTHING_OPEN = "No handoff is open for this choice. If that surprises you, look at the data freshness."
_MOST_ROWS = 500
_SHARE = "printf('%.1f %%', ifNull(value, 0) * 100)"


def _variable(name: str, label: str, column: str) -> Variable:
    other = "" if column == "process" else f" AND {IN_PROCESSES}"
    sql = f"SELECT DISTINCT {column} FROM open_handoffs WHERE run = 'live'{other} AND {column} != '' ORDER BY {column}"
    return Variable(name, label, sql, multi=True, all=True)


def _stat(
    key: str,
    title: str,
    question: str,
    sql: str,
    *columns: Column,
    no_data: str = _NOTHING_OPEN,
    thresholds: tuple[Threshold, ...] = (),
) -> Panel:
    """One figure, a quarter of the page wide: the first column."""
    return Panel(
        key=key,
        title=title,
        question=question,
        queries=(Query(sql, columns),),
        visual=Stat(columns[0].name),
        no_data=no_data,
        audience="operations",
        width=6,
        height=4,
        thresholds=thresholds,
    )


OPEN_COUNT = _stat(
    "open-count",
    "Open handoffs",
    "How many handoffs wait for an answer now?",
    f"SELECT count() AS open {_OPEN}",
    Column("open", "count", "open"),
)
OVERDUE_COUNT = _stat(
    "overdue-count",
    "Overdue",
    "How many of them should have been answered by now?",
    f"SELECT countIf(overdue) AS overdue, countIf(isNull(accept_due_at)) AS without_target {_OPEN}",
    Column("overdue", "count"),
    Column("without_target", "count", "without a target"),
    thresholds=(Threshold(1, "some are overdue"),),
)
OLDEST = _stat(
    "oldest",
    "Waiting longest",
    "How long has the oldest open handoff been waiting?",
    f"SELECT max(age_s) AS age_s {_OPEN} HAVING count() > 0",
    Column("age_s", "seconds", "waiting longest"),
)
FRESHNESS = _stat(
    "freshness",
    "Data freshness",
    "How long ago did the newest event arrive?",
    f"""SELECT min(received_age_s) AS age_s, max(newest_event_at) AS newest_event_at
FROM freshness WHERE {IN_PROCESSES} HAVING count() > 0""",
    Column("age_s", "seconds", "since the newest event"),
    Column("newest_event_at", "time", "its event time"),
    no_data="No event has arrived yet.",
    thresholds=(Threshold(300, "nothing for five minutes"),),
)

OPEN_HANDOFFS = Panel(
    key="open-handoffs",
    title="Open handoffs by receiving role",
    question="Which handoffs wait for whom, since when, and when are they due? Overdue ones come first.",
    queries=(
        Query(
            f"""SELECT to_role, site, work_item, from_role, process, urgency, age_s,
    toDateTime(accept_due_at, 'UTC') AS due_at, dateDiff('second', now(), due_at) AS due_in_s,
    multiIf(overdue, 'overdue', isNull(accept_due_at), 'no target', 'in time') AS state
{_OPEN}
ORDER BY overdue DESC, isNull(accept_due_at), accept_due_at, offered_at, work_item LIMIT {_MOST_ROWS}""",
            (
                text("to_role", "receiving role"),
                text("site"),
                text("work_item", "work item"),
                text("from_role", "from"),
                text("process"),
                text("urgency"),
                Column("age_s", "seconds", "waiting"),
                Column("due_at", "time", "due", nullable=True, when_null="no target"),
                Column("due_in_s", "seconds", "due in", nullable=True, when_null="no target"),
                text("state"),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NOTHING_OPEN,
    audience="operations",
    width=24,
    height=12,
)

BY_ROLE = Panel(
    key="open-by-role",
    title="Open by receiving role and site",
    question="Where do handoffs wait? In alphabetical order, no ranking.",
    queries=(
        Query(
            f"""SELECT to_role, site, count() AS open, countIf(overdue) AS overdue, max(age_s) AS oldest_s,
    min(toDateTime(accept_due_at, 'UTC')) AS next_due_at
{_OPEN}
GROUP BY to_role, site ORDER BY to_role, site""",
            (
                text("to_role", "receiving role"),
                text("site"),
                Column("open", "count"),
                Column("overdue", "count"),
                Column("oldest_s", "seconds", "waiting longest"),
                Column("next_due_at", "time", "next due", nullable=True, when_null="no target"),
            ),
        ),
    ),
    visual=Table(),
    no_data=_NOTHING_OPEN,
    audience="operations",
    width=12,
    height=9,
)

AGE_AGAINST_TARGET = Panel(
    key="age-against-target",
    title="Age of what is open, against its target",
    question="How much of the time to answer has been used?",
    queries=(
        Query(
            f"""SELECT used, count() AS open FROM
(
    SELECT age_s / dateDiff('second', offered_at, accept_due_at) AS share,
        multiIf(isNull(accept_due_at), '5 no target', overdue AND share > 2, '4 over twice the target',
            overdue, '3 overdue', share >= 0.5, '2 second half', '1 first half') AS used
    {_OPEN}
)
GROUP BY used ORDER BY used""",
            (text("used", "share of the target used"), Column("open", "count")),
        ),
    ),
    visual=Bars("used", "open"),
    no_data=_NOTHING_OPEN,
    audience="operations",
    width=12,
    height=9,
)

SIGNALS = Panel(
    key="signals",
    title="Signals",
    question="What was said to be worth acting on, and has not ended? The newest first.",
    queries=(
        Query(
            f"""SELECT multiIf(kind = 'handoff_overdue', 'handoff overdue',
        kind = 'problem_unanswered', 'problem unanswered',
        kind = 'tie_shifted', 'tie has shifted', 'data quality') AS signal,
    multiIf(kind = 'tie_shifted', concat({DIMENSION_NAME}, {INFERRED}, ', period from ', toString(toDate(at))),
        check = 'source_quiet', concat(source, ': nothing comes, unlike in other weeks'),
        kind = 'data_quality', concat(if(source = '', '', concat(source, ': ')), {_SHARE}, ' ',
            multiIf(check = 'dead_letters', 'could not be used', check = 'skewed_handoffs', 'accepted before offered',
                'do not say who acted'), ', n ', toString(n)),
        kind = 'problem_unanswered', 'a problem without a response', 'not answered') AS what,
    process, site, work_item, if(empty(to_roles), communicator_role, arrayStringConcat(to_roles, ', ')) AS role,
    experiencer_role, toDateTime(at, 'UTC') AS happened_at, toDateTime(opened_at, 'UTC') AS said_at
FROM open_signals
WHERE run = 'live' AND (process = '' OR {IN_PROCESSES}) AND (site = '' OR {_SITE})
ORDER BY opened_at DESC, kind, process, work_item, source LIMIT {_MOST_ROWS}""",
            (
                text("signal"),
                text("what"),
                text("process"),
                text("site"),
                text("work_item", "work item"),
                text("role"),
                text("experiencer_role", "for"),
                Column("happened_at", "time", "happened"),
                Column("said_at", "time", "said"),
            ),
        ),
    ),
    visual=Table(),
    no_data="Nothing is open. If no worker runs `tieline worker signals`, nothing is ever said.",
    audience="operations",
    width=24,
    height=9,
)

FLOW = Panel(
    key="flow",
    title="Flow, per minute",
    question="How many handoffs were offered, accepted, declined and returned, in the last 24 hours?",
    queries=(
        Query(
            f"""SELECT minute AS time, sum(offered) AS offered, sum(accepted) AS accepted, sum(declined) AS declined,
    sum(returned) AS returned
FROM handoff_flow
WHERE run = 'live' AND $__timeFilter(minute) AND {IN_PROCESSES} AND {_SITE}
GROUP BY time ORDER BY time WITH FILL STEP toIntervalMinute(1)""",
            (
                Column("time", "time"),
                Column("offered", "count"),
                Column("accepted", "count"),
                Column("declined", "count"),
                Column("returned", "count"),
            ),
            time_series=True,
        ),
    ),
    visual=TimeSeries(("offered", "accepted", "declined", "returned")),
    no_data="No handoff was offered or answered in the last 24 hours.",
    audience="operations",
    width=24,
    height=8,
)

LIVE = Dashboard(
    key="live",
    title="Live handoffs",
    for_whom="operations teams",
    about="What waits to be accepted now: by receiving role, never by person.",
    sections=(
        Section("Now", (OPEN_COUNT, OVERDUE_COUNT, OLDEST, FRESHNESS)),
        Section("Open handoffs", (OPEN_HANDOFFS, BY_ROLE, AGE_AGAINST_TARGET)),
        Section("Signals", (SIGNALS,)),
        Section("Flow", (FLOW,)),
    ),
    variables=(
        PROCESSES,
        _variable("site", "Site", "site"),
        _variable("role", "Receiving role", "to_role"),
        _variable("urgency", "Urgency", "urgency"),
    ),
    annotations=(INTERVENTIONS_OF_ANY,),
    refresh_s=5,
    time_from="now-24h",
)
