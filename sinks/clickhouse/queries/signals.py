"""What is worth acting on now, what was said about it, and which webhooks were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.signal import Delivery, Finding, Signal
from sinks.clickhouse.insert import insert_rows
from sinks.clickhouse.pieces import pieces

FALSE_DISCOVERIES = 0.1
"""Share of the ties that are said to have shifted, and have not."""
_INSTANT = "DateTime64(6, 'UTC')"
_BASELINE = timedelta(days=300)
_KEY = "run, process, toStartOfMonth({at}), work_item, episode_id"
_SIGNAL = "run, process, kind, signal"
_COLUMNS = tuple(Signal.model_fields)
_DELIVERY = tuple(Delivery.model_fields)


class ShareLimits(NamedTuple):
    """What is still in order; None: not looked at. See `streams.apps.signals.settings.Quality`."""

    dead_letters: float | None
    skewed_handoffs: float | None
    unknown_actors: float | None
    source_quiet: int | None
    least: int


def overdue_handoffs(client: Client, run: str, due_from: datetime, due_until: datetime) -> list[Finding]:
    """Open handoffs that were due in the half-open time.

    Cost: months in which nothing was due then are passed over; the rows of what was ever open then are read by key.
    """
    key = _KEY.format(at="offered_at")
    open_then = f"state = 'offered' AND isNull(closed_at) AND {_due('accept_due_at')}"
    sql = f"""
SELECT 'handoff_overdue' AS kind, process, site, work_item, episode_id, to_role AS communicator_role,
    from_role AS experiencer_role, [to_role] AS to_roles, 'timeliness' AS dimension, origin, urgency,
    assumeNotNull(accept_due_at) AS at, event_ids, policy_version, method_version
FROM handoffs FINAL
WHERE run = {{run:String}} AND {open_then} AND ({key}) IN
    (SELECT {key} FROM handoffs
    WHERE run = {{run:String}} AND ifNull(accept_due_at, offered_at) >= {{a:{_INSTANT}}} AND {open_then})
ORDER BY at, process, work_item, episode_id"""
    return _findings(client, sql, {"run": run, "a": due_from, "b": due_until})


def unanswered_problems(client: Client, run: str, due_from: datetime, due_until: datetime) -> list[Finding]:
    """Problems of open work items that nobody has responded to, and that were to be answered in the half-open time."""
    key = _KEY.format(at="raised_at")
    unanswered = f"isNull(first_response_at) AND isNull(resolved_at) AND {_due('respond_by')}"
    sql = f"""
SELECT 'problem_unanswered' AS kind, process, site, work_item, episode_id,
    if(length(to_roles) = 1, to_roles[1], '') AS communicator_role, from_role AS experiencer_role, to_roles,
    'problem_solving' AS dimension, 'explicit' AS origin, assumeNotNull(respond_by) AS at, event_ids, policy_version,
    method_version
FROM problems FINAL
WHERE run = {{run:String}} AND {unanswered} AND ({key}) IN
    (SELECT {key} FROM problems
    WHERE run = {{run:String}} AND ifNull(respond_by, raised_at) >= {{a:{_INSTANT}}} AND {unanswered})
ORDER BY at, process, work_item, episode_id"""
    found = _findings(client, sql, {"run": run, "a": due_from, "b": due_until})
    closed = _closed_items(client, run, [(each.process, each.work_item) for each in found])
    return [each for each in found if (each.process, each.work_item) not in closed]


def handoff_endings(
    client: Client, run: str, signals: Sequence[Signal], due_until: datetime
) -> dict[str, datetime | None]:
    """By signal: when the handoff was answered or left, None if it is still overdue. Nothing of those that are gone."""
    sql = f"""
SELECT process, work_item, episode_id,
    if(state = 'offered' AND isNull(closed_at) AND accept_due_at < {{b:{_INSTANT}}}, [],
        arraySort(arrayFilter(at -> isNotNull(at),
            [accepted_at, declined_at, returned_at, withdrawn_at, left_at, closed_at]))) AS ends,
    state = 'offered' AND isNull(closed_at) AND accept_due_at < {{b:{_INSTANT}}} AS goes_on
FROM handoffs FINAL
WHERE run = {{run:String}}
    AND (process, work_item, episode_id) IN {{episodes:Array(Tuple(String, String, String))}}"""
    return _endings(client, sql, run, signals, due_until)


def problem_endings(
    client: Client, run: str, signals: Sequence[Signal], due_until: datetime
) -> dict[str, datetime | None]:
    """By signal: when the problem was answered or resolved, None if it still waits. Nothing of those that are gone, or
    whose work item is closed."""
    sql = f"""
SELECT process, work_item, episode_id,
    arraySort(arrayFilter(at -> isNotNull(at), [first_response_at, resolved_at])) AS ends,
    empty(ends) AND respond_by < {{b:{_INSTANT}}} AS goes_on
FROM problems FINAL
WHERE run = {{run:String}}
    AND (process, work_item, episode_id) IN {{episodes:Array(Tuple(String, String, String))}}"""
    closed = _closed_items(client, run, [(each.process, each.work_item) for each in signals])
    left = [each for each in signals if (each.process, each.work_item) not in closed]
    return _endings(client, sql, run, left, due_until)


def shifted_ties(client: Client, run: str, now: datetime) -> list[Finding]:
    """Ties whose newest ripe period lies beyond the three-sigma limits of its control chart, and stands out among all
    ties of this look (Benjamini-Hochberg). Either direction; only what may be published is in `tie_control`.

    Source: docs/method/charts.md; the alert of Grafana asks the same.
    Cost: that of all control charts at once.
    """
    sql = f"""
WITH toDateTime({{now:{_INSTANT}}}, 'UTC') AS today
SELECT 'tie_shifted' AS kind, process, communicator_role, experiencer_role, dimension, origin,
    toDateTime64(period_start, 6, 'UTC') AS at
FROM
(
    SELECT *, max(if(p <= {FALSE_DISCOVERIES} * place / ties, place, 0)) OVER () AS last
    FROM
    (
        SELECT *, row_number() OVER (ORDER BY p) AS place, count() OVER () AS ties
        FROM
        (
            SELECT c.process AS process, communicator_role, experiencer_role, dimension, origin, period_start,
                beyond_limits, multiIf(upper < 1, upper - center, lower > 0, center - lower, 1e9) / 3 AS sigma,
                erfc(abs(value - center) / sigma / sqrt(2)) AS p
            FROM tie_control(run = {{run:String}}, `from` = {{from:String}}, `to` = {{to:String}},
                process = '', site = '') AS c
            LEFT JOIN (SELECT process, period FROM processes FINAL WHERE run = {{run:String}}) AS k
                ON k.process = c.process
            WHERE isNotNull(upper) AND period_start >= multiIf(period = 'week', addDays(toMonday(today), -14),
                    period = 'quarter', addMonths(toStartOfQuarter(today), -6), addMonths(toStartOfMonth(today), -2))
                AND (dimension != 'frequency' OR communicator_role <= experiencer_role)
            ORDER BY period_start DESC LIMIT 1 BY process, communicator_role, experiencer_role, dimension, origin
        )
    )
)
WHERE beyond_limits AND place <= last
ORDER BY process, communicator_role, experiencer_role, dimension, origin"""
    asked = {"from": f"{now - _BASELINE:%Y-%m-%dT%H:%M:%SZ}", "to": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    return _findings(client, sql, {"run": run, "now": now, **asked})


def doubtful_data(client: Client, run: str, limits: ShareLimits, now: datetime) -> list[Finding]:
    """What is wrong with the data itself."""
    found: list[Finding] = []
    if limits.dead_letters is not None:
        found += _share(client, _DEAD, "dead_letters", limits.dead_letters, limits.least, run, now)
    if limits.skewed_handoffs is not None:
        found += _share(client, _SKEWED, "skewed_handoffs", limits.skewed_handoffs, limits.least, run, now)
    if limits.unknown_actors is not None:
        found += _share(client, _UNKNOWN, "unknown_actors", limits.unknown_actors, limits.least, run, now)
    if limits.source_quiet is not None:
        found += _findings(client, _QUIET, {"now": now, "usual": limits.source_quiet})
    return found


_NOW = f"{{now:{_INSTANT}}}"
_DEAD = f"""
SELECT '' AS process, '' AS source, letters AS bad, letters + events AS n FROM
(
    SELECT
        (SELECT count() FROM dead_letters FINAL WHERE at >= {_NOW} - INTERVAL 2 HOUR AND at <= {_NOW}
            AND stage NOT IN ('import', 'webhook')) AS letters,
        (SELECT uniqMerge(ids) FROM source_hours WHERE newest_received_at >= {_NOW} - INTERVAL 2 HOUR
            AND hour >= toStartOfHour({_NOW} - INTERVAL 2 HOUR)) AS events
)"""
_SKEWED = f"""
SELECT process, '' AS source, countIf(skewed) AS bad, count() AS n FROM handoffs FINAL
WHERE run = {{run:String}} AND toStartOfMonth(offered_at) >= toStartOfMonth({_NOW} - INTERVAL 1 DAY)
    AND offered_at >= {_NOW} - INTERVAL 1 DAY AND offered_at < {_NOW}
GROUP BY process"""
_UNKNOWN = f"""
SELECT process, source, uniqMergeIf(ids, actor_kind = 'unknown') AS bad, uniqMerge(ids) AS n FROM source_hours
WHERE hour >= toStartOfHour({_NOW} - INTERVAL 1 DAY) AND hour <= {_NOW}
GROUP BY process, source"""

# The hours that are over since a source was last heard of, a week of them at most, against the same hours of each of
# the four weeks before. After two weeks of silence a source has ended, or everybody knows.
_QUIET = f"""
SELECT 'data_quality' AS kind, 'source_quiet' AS check, process, source, max(last_at) AS at, min(came) AS n
FROM
(
    SELECT process, source, week, any(newest) AS last_at,
        uniqMergeIf(ids, hour >= quiet_from - INTERVAL 7 * week DAY AND hour < quiet_to - INTERVAL 7 * week DAY) AS came
    FROM
    (
        SELECT process, source, hour, ids, newest, week, toStartOfHour(toDateTime(newest, 'UTC')) + INTERVAL 1 HOUR
            AS quiet_from, least(toStartOfHour(toDateTime({_NOW}, 'UTC')), quiet_from + INTERVAL 7 DAY) AS quiet_to
        FROM source_hours AS s
        INNER JOIN
        (
            SELECT process, source, max(newest_event_at::{_INSTANT}) AS newest FROM source_hours
            WHERE hour <= {_NOW} GROUP BY process, source
            HAVING newest >= {_NOW} - INTERVAL 14 DAY AND newest < toStartOfHour({_NOW}) - INTERVAL 1 HOUR
        ) AS last ON last.process = s.process AND last.source = s.source
        ARRAY JOIN [1, 2, 3, 4] AS week
        WHERE hour >= {_NOW} - INTERVAL 50 DAY
    )
    GROUP BY process, source, week
)
GROUP BY process, source
HAVING count() = 4 AND min(came) >= {{usual:UInt32}}
ORDER BY process, source"""


def open_signals(client: Client, run: str) -> list[Signal]:
    """What was said to be so and not said to have ended, the newest last."""
    was_open = f"({_SIGNAL}) IN (SELECT {_SIGNAL} FROM signals WHERE run = {{run:String}} AND state = 'opened')"
    return _signals(client, f"run = {{run:String}} AND state = 'opened' AND {was_open}", {"run": run})


def said_signals(client: Client, signals: Sequence[Signal]) -> list[Signal]:
    """The newest record of those of these signals that are there. Cost: a look-up by primary key."""
    keys = [(each.run, each.process, each.kind, each.signal) for each in signals]
    where = f"({_SIGNAL}) IN {{keys:Array(Tuple(String, String, String, String))}}"
    return [signal for some in pieces(keys) for signal in _signals(client, where, {"keys": some})]


def recent_signals(client: Client, run: str, since: datetime, limit: int = 0) -> list[Signal]:
    """The newest record of what was said, or said to have ended, from then on, the newest last."""
    then = f"run = {{run:String}} AND said_at >= {{since:{_INSTANT}}}"
    where = f"{then} AND ({_SIGNAL}) IN (SELECT {_SIGNAL} FROM signals WHERE {then})"
    found = _signals(client, where, {"run": run, "since": since}, f"LIMIT {limit}" if limit else "", "DESC")
    return found[::-1]


def deliveries(client: Client, since: datetime) -> list[Delivery]:
    """The newest record of every message that was tried since then, and all marks."""
    sql = f"""SELECT {", ".join(_DELIVERY)} FROM signal_deliveries FINAL
WHERE at >= {{since:{_INSTANT}}} OR state IN ('since', 'gone')"""
    rows = client.query(sql, parameters={"since": since}).result_rows
    return [Delivery.model_validate(dict(zip(_DELIVERY, row, strict=True))) for row in rows]


def put_deliveries(client: Client, rows: Sequence[Delivery]) -> None:
    """Returns once the store has acknowledged them."""
    insert_rows(client, "signal_deliveries", [row.model_dump_json().encode() for row in rows])


def _due(column: str) -> str:
    return f"{column} >= {{a:{_INSTANT}}} AND {column} < {{b:{_INSTANT}}}"


def _share(
    client: Client, sql: str, check: str, threshold: float, least: int, run: str, now: datetime
) -> list[Finding]:
    over = f"""
SELECT 'data_quality' AS kind, '{check}' AS check, process, source, {_NOW} AS at, bad / n AS value,
    {{threshold:Float64}} AS threshold, toUInt64(n) AS n
FROM ({sql}) WHERE n >= {{least:UInt32}} AND value > threshold
ORDER BY process, source"""
    return _findings(client, over, {"run": run, "now": now, "threshold": threshold, "least": least})


def _endings(
    client: Client, sql: str, run: str, signals: Sequence[Signal], due_until: datetime
) -> dict[str, datetime | None]:
    by_episode = {(each.process, each.work_item, each.episode_id): each.signal for each in signals}
    ends: dict[str, datetime | None] = {}
    for some in pieces(by_episode):
        asked = {"run": run, "b": due_until, "episodes": some}
        for process, work_item, episode, at, goes_on in client.query(sql, parameters=asked).result_rows:
            if goes_on or at:
                ends[by_episode[process, work_item, episode]] = None if goes_on else at[0]
    return ends


def _closed_items(client: Client, run: str, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    sql = """
SELECT process, work_item FROM work_items FINAL
WHERE run = {run:String} AND closed AND (process, work_item) IN {items:Array(Tuple(String, String))}"""
    closed = set[tuple[str, str]]()
    for some in pieces(sorted(set(items))):
        rows = client.query(sql, parameters={"run": run, "items": some}).result_rows
        closed.update((process, work_item) for process, work_item in rows)
    return closed


def _findings(client: Client, sql: str, parameters: dict[str, Any]) -> list[Finding]:
    rows = client.query(sql, parameters=parameters).named_results()
    return [Finding.model_validate(row, strict=False) for row in rows]


def _signals(
    client: Client, where: str, parameters: dict[str, Any], limit: str = "", order: str = "ASC"
) -> list[Signal]:
    sql = f"SELECT {', '.join(_COLUMNS)} FROM signals FINAL WHERE {where} ORDER BY said_at {order}, signal {limit}"
    rows = client.query(sql, parameters=parameters).result_rows
    return [Signal.model_validate(dict(zip(_COLUMNS, row, strict=True)), strict=False) for row in rows]
