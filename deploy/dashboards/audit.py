"""Audit: which events stand behind a figure. For auditors only, through an account of their own; not on the board."""

from __future__ import annotations

from deploy.dashboards.dashboard import Dashboard, Section, Variable
from deploy.dashboards.panel import Column, Panel, Query, Table, text
from schemas.vocabulary import DIMENSIONS

_PROCESS = Variable(
    name="process",
    label="Process",
    sql="SELECT DISTINCT process FROM quality_processes WHERE run = 'live' ORDER BY process",
)
_RUN = Variable(
    name="run",
    label="Run",
    sql="SELECT DISTINCT run FROM auditor_runs ORDER BY run != 'live', run",
    default="live",
)
_DIMENSION = Variable(
    name="dimension",
    label="Dimension",
    sql=f"SELECT arrayJoin([{', '.join(repr(str(dimension)) for dimension in DIMENSIONS)}]) AS dimension",
    multi=True,
    all=True,
)
_MOST_ROWS = 500

EVIDENCE = Panel(
    key="evidence",
    title="Evidence",
    question=f"Which observations, made of which events, by which rule and versions? At most {_MOST_ROWS}.",
    queries=(
        Query(
            f"""SELECT toDateTime(at) AS at, dimension, rule, communicator_role, experiencer_role, site, value, ripe,
    work_item, episode_id, arrayStringConcat(event_ids, ', ') AS event_ids, policy_version, method_version
FROM auditor_evidence
WHERE run = ${{run:singlequote}} AND process = ${{process:singlequote}} AND $__timeFilter(at)
    AND $__conditionalAll(dimension IN (${{dimension:singlequote}}), $dimension)
ORDER BY at DESC, episode_id, rule, part LIMIT {_MOST_ROWS}""",
            (
                Column("at", "time"),
                text("dimension"),
                text("rule"),
                text("communicator_role", "communication of"),
                text("experiencer_role", "as experienced by"),
                text("site"),
                Column("value", "share", nullable=True, when_null="pending", decimals=2),
                Column("ripe", "flag"),
                text("work_item", "work item"),
                text("episode_id", "episode"),
                text("event_ids", "events"),
                text("policy_version", "policy"),
                text("method_version", "method"),
            ),
        ),
    ),
    visual=Table(),
    no_data="No evidence in this period.",
    audience="auditor",
    width=24,
    height=20,
)

AUDIT = Dashboard(
    key="audit",
    title="Audit",
    for_whom="auditors",
    about="The events behind the figures.",
    sections=(Section("Evidence", (EVIDENCE,)),),
    variables=(_PROCESS, _RUN, _DIMENSION),
    data_source="auditor",
)
