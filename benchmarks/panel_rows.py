"""Years of a busy hospital, made inside the store: what the panels are asked over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from schemas.policy import Observes, Policy, PolicyBook, ProcessPolicy
from schemas.vocabulary import Rule
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.records import process_records, process_row
from sinks.clickhouse.windows import reaggregate_all, refresh_priors

DAYS = 912
PROCESSES = ("ed-to-ward", "ward-to-care", "incident")
_RULES: tuple[Rule, ...] = ("handoff_acceptance", "handoff_accuracy", "handoff_advanced")
_CHUNK = 50_000
_SITES, _STAFF, _OPEN, _STALE = 5, 40, 1_000, 100
_FROM_ROLES = "['ed-nurse', 'ed-physician', 'triage', 'imaging', 'lab', 'level-1']"
_TO_ROLES = "['ward-nurse', 'ward-physician', 'icu', 'pharmacy', 'bed-manager', 'level-2']"
_WINDOW = "run, process, site, communicator_role, experiencer_role, dimension, origin, period, period_start"

# One handoff from its number: `h` decides everything about it. The last thousand are open, and one in so many before.
_HANDOFF = f"""
SELECT h, arrayElement({list(PROCESSES)}, h % {len(PROCESSES)} + 1) AS process,
    concat('site-', toString(cityHash64(h, 1) % {_SITES})) AS site, lower(hex(cityHash64(h, 2))) AS work_item,
    concat('ehr#', lower(hex(cityHash64(h, 3)))) AS episode_id,
    arrayElement({_FROM_ROLES}, cityHash64(h, 5) % 6 + 1) AS from_role,
    arrayElement({_TO_ROLES}, cityHash64(h, 6) % 6 + 1) AS to_role,
    fromUnixTimestamp64Micro(toInt64((@start + h * @width) * 1e6), 'UTC') AS offered_at,
    h >= @count - {_OPEN} OR h % intDiv(@count, {_STALE}) = 7 AS open,
    toFloat64(cityHash64(h, 8) % 5400) AS waited_s, waited_s <= 3600 AS in_time,
    concat('k1:', lower(hex(MD5(toString(cityHash64(h, 9) % {_STAFF}))))) AS offerer,
    concat('k1:', lower(hex(MD5(toString({_STAFF} + cityHash64(h, 10) % {_STAFF}))))) AS receiver,
    offered_at + toIntervalSecond(3600) AS due_at, offered_at + toIntervalSecond(waited_s) AS answered_at
FROM (SELECT number AS h FROM numbers(@first, @rows))"""

_HANDOFFS = f"""
INSERT INTO handoffs (run, process, site, work_item, episode_id, event_ids, policy_version, method_version, revision,
    is_deleted, handoff_id, from_role, to_role, origin, intent, urgency, offered_at, accept_due_at, accepted_at, state,
    waited_s, worked)
SELECT 'live', process, site, work_item, episode_id, [episode_id, concat(episode_id, 'a')], 'bench', '1', 1 + @said, 0,
    toString(h), from_role, to_role, 'explicit', 'transfer', arrayElement(['urgent', 'routine'], h % 2 + 1), offered_at,
    due_at, if(open, NULL, answered_at), if(open, 'offered', 'accepted'), if(open, NULL, waited_s), NOT open
FROM ({_HANDOFF})"""

# Five observations of every two handoffs: acceptance and accuracy of all, advancement of every other one.
_EVIDENCE = f"""
INSERT INTO evidence (run, process, site, work_item, episode_id, event_ids, policy_version, method_version, revision,
    is_deleted, rule, part, communicator_role, experiencer_role, communicator_actors, experiencer_actors, dimension,
    origin, at, known_at, ripe, value, period, period_start, waited_s, answered, held_s, hour_of_week, marks)
SELECT 'live', process, site, work_item, episode_id, [episode_id, concat(episode_id, 'a')], 'bench', '1', 1 + @said, 0,
    rule, 0, if(back, to_role, from_role), if(back, from_role, to_role), if(back, [receiver], [offerer]),
    if(back, [offerer], [receiver]), dimension, 'explicit', offered_at, due_at, ripe,
    if(ripe, toFloat64(good), NULL), 'week', toMonday(offered_at), if(timed AND NOT open, waited_s, NULL),
    timed AND NOT open, if(timed AND NOT open, 1e4, NULL),
    toUInt8(toHour(offered_at) + 24 * (toDayOfWeek(offered_at) - 1)),
    multiIf(NOT ripe OR good, [], rule = 'handoff_accuracy', ['missing'], timed, ['late'], ['left_unworked'])
FROM
(
    SELECT *, kind.1 AS rule, kind.2 AS dimension, rule != 'handoff_accuracy' AS back,
        rule = 'handoff_acceptance' AS timed, NOT open OR h < @count - {_OPEN} AS ripe,
        if(timed, in_time AND NOT open, cityHash64(h, rule) % 10 < 8) AS good
    FROM ({_HANDOFF})
    ARRAY JOIN if(h % 2 = 0, @kinds, arraySlice(@kinds, 1, 2)) AS kind
)"""
_KINDS = (
    "[('handoff_acceptance', 'timeliness'), ('handoff_accuracy', 'accuracy'), ('handoff_advanced', 'problem_solving')]"
)

_NAMES = """
INSERT INTO tie_names
SELECT DISTINCT run, process, toStartOfMonth(offered_at), site, origin, from_role, to_role, 1 FROM handoffs"""

_SOURCE_HOURS = """
INSERT INTO source_hours
SELECT process, source, hour, 'human', false, false, uniqState(toString(number)),
    quantilesTDigestState(0.5, 0.99)(toFloat32(number % 7)), max(hour)::DateTime64(6, 'UTC'),
    max(hour)::DateTime64(6, 'UTC'), max(hour)::DateTime64(6, 'UTC')
FROM
(
    SELECT number, arrayElement(@processes, number % 3 + 1) AS process,
        arrayElement(['ehr', 'paging'], intDiv(number, 3) % 2 + 1) AS source,
        toStartOfHour(toDateTime(@start + intDiv(number, 60) * 3600, 'UTC')) AS hour
    FROM numbers(@hours)
)
GROUP BY process, source, hour"""


def fill(client: Client, handoffs: int, end: datetime) -> None:
    """This many handoffs and 2.5 times as many rows of evidence, up to `end`, in order of time.

    One row in twenty is written twice, as it is when it grows. Cost: about 15 s for each million handoffs, and as long
    for the windows.
    """
    start = end - timedelta(days=DAYS)
    _declare(client, start)
    width_s = (end - start).total_seconds() / handoffs
    for first in range(0, handoffs, _CHUNK):
        rows = min(_CHUNK, handoffs - first)
        for statement in (_HANDOFFS, _EVIDENCE):
            for again, count in ((0, rows), (1, rows // 20)):
                client.command(_written(statement, first, count, again, handoffs, start, width_s))
    client.command(_NAMES)
    client.command(
        _SOURCE_HOURS.replace("@processes", str(list(PROCESSES)))
        .replace("@start", _epoch(start))
        .replace("@hours", str(DAYS * 24 * 60))
    )
    client.command(f"INSERT INTO tie_windows ({_WINDOW}) SELECT DISTINCT {_WINDOW} FROM evidence")
    reaggregate_all(client, "live")
    refresh_priors(client, "live")


def _declare(client: Client, start: datetime) -> None:
    part = ProcessPolicy(period="week", observes=(Observes(source="*", rules=frozenset(_RULES)),))
    policy = Policy(version="bench", effective_from=start.astimezone(UTC), processes=dict.fromkeys(PROCESSES, part))
    rows = process_records(PolicyBook((policy,)), "live", PROCESSES)
    insert_rows(client, "processes", [process_row(row) for row in rows])


def _written(sql: str, first: int, rows: int, again: int, count: int, start: datetime, width_s: float) -> str:
    given = {
        "first": first,
        "rows": rows,
        "said": again,
        "count": count,
        "start": _epoch(start),
        "width": repr(width_s),
    }
    for name, value in (given | {"kinds": _KINDS}).items():
        sql = sql.replace(f"@{name}", str(value))
    return sql


def _epoch(at: datetime) -> str:
    return str(int(at.timestamp()))
