"""The statements that add evidence up into tie windows. One form serves live flushes, late repair, replay and audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import to_json

from sinks.clickhouse.details_sql import (
    A_NUMBER,
    A_STRING,
    DETAIL_COLUMNS,
    counts_of,
    detail_codes,
    details_of,
    tally,
)
from sinks.clickhouse.pieces import by_size


class Window(NamedTuple):
    """One atom of a run: the key of `tie_windows`."""

    run: str
    process: str
    site: str
    communicator_role: str
    experiencer_role: str
    dimension: str
    origin: str
    period: str
    period_start: date


class EvidenceKey(NamedTuple):
    """The key of one evidence row; `month` is the first day of the month of its `at`."""

    run: str
    process: str
    month: date
    work_item: str
    episode_id: str
    rule: str
    part: int


WINDOW = ", ".join(Window._fields)
_WINDOW_TYPES = ", ".join(f"{field} {'Date32' if field == 'period_start' else 'String'}" for field in Window._fields)
_EVIDENCE_TYPES = (
    "run String, process String, month Date, work_item String, episode_id String, rule String, part UInt32"
)
_SCALE = float(2**52)
_CHUNK_BYTES = 80_000
"""Of literals in one statement: the embedded engine parses no more than 256 KiB, whatever `max_query_size` says, and
`reaggregate` names its windows twice."""


def chunks(windows: Iterable[Window]) -> Iterator[list[Window]]:
    """The windows in groups that fit into one statement, by time: no two groups then read the same months twice."""
    by_time = sorted(windows, key=lambda window: (window.run, window.process, window.period_start, window))
    return by_size(by_time, lambda window: len(to_json(window)) * 9 // 8, _CHUNK_BYTES)


def named_keys(keys: Iterable[bytes]) -> str:
    """A few keys, each an `EvidenceKey` as a JSON object, as something to select from."""
    return f"format(JSONEachRow, '{_EVIDENCE_TYPES}', {_literal(sorted(keys))})"


def stored_keys(batch: str) -> str:
    """The keys of a batch in `look_ups` as something to select from. `batch` is plain text without quotes."""
    return f"(SELECT {', '.join(EvidenceKey._fields)} FROM look_ups WHERE batch = '{batch}')"


def windows_of(keys: str) -> str:
    """Windows that the stored versions of these rows belong to, old versions that are not merged away included.

    More windows than needed do no harm; one too few would go stale. Columns: the window, then the row's key.
    """
    return f"""
SELECT DISTINCT {WINDOW}, toStartOfMonth(at) AS month, work_item, episode_id, rule, part
FROM evidence
WHERE (run, process, toStartOfMonth(at)) IN (SELECT run, process, month FROM {keys})
    AND (run, process, toStartOfMonth(at), work_item, episode_id, rule, part) IN (SELECT * FROM {keys})
    AND is_deleted = 0"""


def reaggregate(windows: Collection[Window], now: str) -> str:
    """Writes the present sums of these windows; one without evidence becomes a deleted row.

    Args:
        now: the server's time as text, asked for before: of two statements the later one has seen at least as much.
            Worked out within the statement it would be later than what it reads.
    """
    months = {(window.run, window.process, month) for window in windows for month in _months_of(window)}
    touched = _table(_WINDOW_TYPES, windows)
    return _reaggregate(
        touched,
        f"(run, process, toStartOfMonth(at)) IN ({_months(months)}) AND ({WINDOW}) IN (SELECT {WINDOW} FROM {touched})",
        f"toDateTime64('{now}', 6, 'UTC')",
    )


QUARTERS = """
SELECT DISTINCT toStartOfQuarter(period_start) AS first FROM
(
    SELECT period_start FROM evidence WHERE run = {run:String}
    UNION ALL SELECT period_start FROM tie_windows WHERE run = {run:String}
)
ORDER BY first"""
"""First days of the quarters in which a run has windows, or evidence for some. Parameter: run."""


def reaggregate_quarter() -> str:
    """Writes the sums of a run's windows that start in one quarter, those whose evidence has gone included.

    Parameters: run; first, the quarter's first day. No window reaches further than three months from its start.
    """
    starts = "run = {run:String} AND period_start >= {first:Date32} AND period_start < addMonths({first:Date32}, 3)"
    near = "at >= {first:Date32} AND at < addMonths({first:Date32}, 6)"
    return _reaggregate(f"(SELECT * FROM tie_windows FINAL WHERE {starts})", f"{starts} AND {near}")


def _reaggregate(touched: str, scope: str, version: str = "now64(6)") -> str:
    # Markers with no work item keep a touched window in the result when all its evidence has gone.
    return f"""
INSERT INTO tie_windows ({WINDOW}, s, n, pending, work_items, ss, sn, nn,
    communicator_actors, experiencer_actors, largest_share, n_by_rule, marks, {DETAIL_COLUMNS},
    flow_handoffs, flow_waited_s, flow_held_s, version, is_deleted)
SELECT {WINDOW}, s, n, pending, work_items, ss, sn, nn,
    {_most("communicators")}, {_most("experiencers")}, {_largest_share("actor_items", "work_items")},
    {counts_of("rule_counts", "String")}, {counts_of("mark_counts", "String")}, {details_of("detail_counts")},
    flow_handoffs, flow_waited_s, flow_held_s, {version}, n + pending = 0
FROM
(
    SELECT *, {tally("actors_in_order", A_STRING)} AS actor_items, {tally("rules_in_order", A_STRING)} AS rule_counts,
        {tally("marks_in_order", A_STRING)} AS mark_counts, {tally("details_in_order", A_NUMBER)} AS detail_counts
    FROM
    (
        SELECT {WINDOW},
            {exact_sum("s_w")} AS s, sum(n_w) AS n, sum(pending_w) AS pending, countIf(n_w > 0) AS work_items,
            {exact_sum("s_w * s_w")} AS ss, {exact_sum("s_w * n_w")} AS sn, toFloat64(sum(n_w * n_w)) AS nn,
            groupUniqArrayArray(communicators_w) AS communicators,
            groupUniqArrayArray(experiencers_w) AS experiencers,
            arraySort(groupArrayArray(arrayDistinct(arrayConcat(communicators_w, experiencers_w)))) AS actors_in_order,
            arraySort(groupArrayArray(rules_w)) AS rules_in_order,
            arraySort(groupArrayArray(marks_w)) AS marks_in_order,
            arraySort(groupArrayArray(details_w)) AS details_in_order,
            sum(flow_w) AS flow_handoffs,
            {exact_sum("flow_waited_w")} AS flow_waited_s, {exact_sum("flow_held_w")} AS flow_held_s
        FROM
        (
            SELECT {WINDOW}, work_item,
                {exact_sum("value", "counted")} AS s_w, countIf(counted) AS n_w, countIf(NOT ripe) AS pending_w,
                groupUniqArrayArrayIf(communicator_actors, counted) AS communicators_w,
                groupUniqArrayArrayIf(experiencer_actors, counted) AS experiencers_w,
                groupArrayIf(rule, counted) AS rules_w, groupArrayArrayIf(marks, counted) AS marks_w,
                groupArrayArrayIf({detail_codes()}, offered) AS details_w,
                countIf(offered AND isNotNull(held_s)) AS flow_w,
                {exact_sum("waited_s", "offered AND isNotNull(held_s)")} AS flow_waited_w,
                {exact_sum("held_s", "offered")} AS flow_held_w
            FROM
            (
                SELECT *, ripe AND isNotNull(value) AS counted, counted AND rule = 'handoff_acceptance' AS offered
                FROM evidence FINAL WHERE {scope}
            )
            GROUP BY {WINDOW}, work_item
            UNION ALL
            SELECT {WINDOW}, '', 0., 0, 0, {_NONE}, {_NONE}, {_NONE}, {_NONE}, CAST([], 'Array(UInt32)'), 0, 0., 0.
            FROM {touched}
        )
        GROUP BY {WINDOW}
    )
)
SETTINGS {UNCOMPILED}"""


UNCOMPILED = "compile_expressions = 0"
"""Compiled code rounds a 128-bit integer to a double in another way, and is made only once a statement has run several
times: without this, equal evidence would have windows that differ in their last bit."""
_NONE = "CAST([], 'Array(String)')"


def exact_sum(expression: str, condition: str = "") -> str:
    """A sum of doubles that doesn't depend on their order: in whole steps of 2⁻⁵², as a 128-bit integer.

    Threads add in any order, and equal evidence must have equal windows to the last bit.
    """
    steps = f"toInt128(round(ifNull({expression}, 0) * {_SCALE!r}))"
    total = f"sumIf({steps}, {condition})" if condition else f"sum({steps})"
    return f"toFloat64({total}) / {_SCALE!r}"


def _key_ids(actors: str) -> str:
    return f"arrayMap(actor -> splitByChar(':', actor)[1], {actors})"


def _most(actors: str) -> str:
    """Distinct actors per key id, the largest count: hashes of two keys may be one person."""
    return f"arrayMax(arrayMap(key -> countEqual({_key_ids(actors)}, key), arrayDistinct({_key_ids(actors)})))"


def _largest_share(actor_items: str, work_items: str) -> str:
    """The share of the busiest actor; over key ids the busiest are added up, as they may be one person."""
    actors, counts = f"{actor_items}.1", f"{actor_items}.2"
    of_key = f"arrayMax(arrayMap((id, items) -> if(id = key, items, 0), {_key_ids(actors)}, {counts}))"
    total = f"arraySum(arrayMap(key -> {of_key}, arrayDistinct({_key_ids(actors)})))"
    return f"if({work_items} = 0, 0., least(1., {total} / {work_items}))"


def _months_of(window: Window) -> Iterable[date]:
    """The months that the instants of a window lie in."""
    first = window.period_start.replace(day=1)
    span = {"week": 1, "month": 0, "quarter": 2}[window.period]
    count = first.year * 12 + first.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(count, count + span + 1)]


def _months(keys: Iterable[tuple[Any, ...]]) -> str:
    return f"SELECT * FROM {_table('run String, process String, month Date', set(keys))}"


def _table(types: str, rows: Iterable[tuple[Any, ...]]) -> str:
    """Rows as something to select from: one literal, which parses faster than tuples."""
    return f"format(JSONCompactEachRow, '{types}', {_literal(map(to_json, sorted(rows)))})"


def _literal(lines: Iterable[bytes]) -> str:
    text = b"\n".join(lines).decode()
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
