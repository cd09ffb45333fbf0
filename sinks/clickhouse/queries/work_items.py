"""Work items in the archive: their events, their states, and which of them have to be looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from clickhouse_connect.driver.client import Client

from schemas.rows import WorkItemRow
from sinks.clickhouse.pieces import pieces

Item = tuple[str, str]
"""(process, work item)."""
Key = tuple[str, datetime, str, str, int]
"""(table, instant, episode, rule, part) of a row: what identifies it within its work item."""

IMPORTED_TOPIC = "tieline.archive"
"""What stands as the topic of an event that came with an exported archive, and never was on Kafka."""
_KEYS = (
    ("handoffs", "offered_at", "''", "0"),
    ("exchanges", "sent_at", "''", "0"),
    ("problems", "raised_at", "''", "0"),
    ("evidence", "at", "toString(rule)", "toInt64(part)"),
)
_FOLDED = "splitByChar('.', type)[2] IN ('handoff', 'work_item', 'communication', 'problem')"


def item_payloads(client: Client, items: Sequence[Item]) -> dict[Item, list[bytes]]:
    """All archived contents of these work items, in any order: ask `item_sizes` first.

    Cost: a look-up by primary key, about 5 ms and 1 ms for every hundred items.
    """
    sql = f"""
SELECT process, subject, payload FROM events FINAL
WHERE (process, subject) IN {{items:Array(Tuple(String, String))}} AND {_FOLDED}"""
    found: dict[Item, list[bytes]] = defaultdict(list)
    for some in pieces(items):
        for process, subject, payload in client.query(sql, parameters={"items": some}).result_rows:
            found[process, subject].append(payload.encode())
    return dict(found)


def item_sizes(client: Client, items: Sequence[Item]) -> dict[Item, tuple[int, int]]:
    """How many contents of these work items are archived, and how many bytes they are. What is said to several roles
    counts once for each, as in `oversize`. Cost: as `item_payloads`."""
    sql = f"""
SELECT process, subject, sum(greatest(1, JSONLength(payload, 'data', 'to_roles'))), sum(length(payload))
FROM events FINAL
WHERE (process, subject) IN {{items:Array(Tuple(String, String))}} AND {_FOLDED}
GROUP BY process, subject"""
    found: dict[Item, tuple[int, int]] = {}
    for some in pieces(items):
        for process, work_item, contents, size in client.query(sql, parameters={"items": some}).result_rows:
            found[process, work_item] = contents, size
    return found


def standing_rows(client: Client, run: str, item: Item) -> list[Key]:
    """The keys of everything that is said of a work item and not taken back.

    Cost: looks through the rows of the process; it is for the rare item that is oversize.
    """
    parts = [
        f"""
SELECT '{table}', {at} AS at, episode_id, {rule}, {part} FROM {table} FINAL
WHERE run = {{run:String}} AND process = {{process:String}} AND work_item = {{work_item:String}} AND NOT is_deleted"""
        for table, at, rule, part in _KEYS
    ]
    parameters = {"run": run, "process": item[0], "work_item": item[1]}
    return [tuple(row) for row in client.query(" UNION ALL ".join(parts), parameters=parameters).result_rows]


def due_items(client: Client, run: str, now: datetime) -> list[Item]:
    """Evicted work items whose next deadline is not after `now`: no app holds them in memory."""
    sql = """
SELECT process, work_item FROM work_items FINAL
WHERE run = {run:String} AND evicted AND next_deadline_at <= {now:DateTime64(6, 'UTC')}
ORDER BY process, work_item"""
    return [(process, item) for process, item in client.query(sql, parameters={"run": run, "now": now}).result_rows]


def archived_states(client: Client, run: str = "live") -> Iterator[WorkItemRow]:
    """The newest state of every work item, stubs of evicted ones included, as `tieline.state` had them."""
    sql = """
SELECT run, process, work_item, state, events, evicted, oversize, closed, last_arrival_at, next_deadline_at, revision
FROM work_items FINAL WHERE run = {run:String}"""
    with client.query_row_block_stream(sql, parameters={"run": run}) as stream:
        for block in stream:
            for row in block:
                yield WorkItemRow.model_validate(dict(zip(WorkItemRow.model_fields, row, strict=True)))


def items_ahead_of_state(client: Client, run: str = "live") -> list[Item]:
    """Work items whose archive holds more distinct contents than their newest state has folded.

    Imported archives don't count: they are there to be replayed, and `live` is made of what arrived here.
    """
    sql = f"""
SELECT process, subject FROM
(
    SELECT process, subject, uniqExact(source, id, payload_hash) AS archived FROM events
    WHERE {_FOLDED} AND topic != '{IMPORTED_TOPIC}' GROUP BY process, subject
) AS archive
LEFT JOIN (SELECT process, work_item, events, oversize FROM work_items FINAL WHERE run = {{run:String}}) AS kept
ON archive.process = kept.process AND archive.subject = kept.work_item
WHERE archived > events AND NOT oversize
ORDER BY process, subject"""
    return [(process, item) for process, item in client.query(sql, parameters={"run": run}).result_rows]
