"""The archive by day of event time: what there is, and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from clickhouse_connect.driver.client import Client

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("process", "subject", "source", "id", "type")),
        ("time", pa.timestamp("us", tz="UTC")),
        ("site", pa.string()),
        ("sequence", pa.uint64()),
        ("payload", pa.string()),
        ("payload_hash", pa.binary(16)),
    ]
)
_EXPRESSIONS = ", ".join("toUnixTimestamp64Micro(time)" if name == "time" else name for name in SCHEMA.names)
_KEY = "process, subject, source, id, payload_hash"
_READ = {
    "optimize_read_in_order": 1,
    "max_threads": 1,
    "max_block_size": 4096,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of the archive are meant; what is left empty does not matter.

    Attributes:
        from_at, to_at: event time, half-open.
        whole_items: also the events outside that period of work items that have one in it, and of interventions
            that began before its end.
    """

    processes: tuple[str, ...] = ()
    from_at: datetime | None = None
    to_at: datetime | None = None
    whole_items: bool = True

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """SQL of a WHERE, and its parameters."""
        chosen: dict[str, tuple[str, Any]] = {
            "from_at": ("time >= {from_at:DateTime64(6, 'UTC')}", self.from_at),
            "to_at": ("time < {to_at:DateTime64(6, 'UTC')}", self.to_at),
        }
        used = {name: pair for name, pair in chosen.items() if pair[1] is not None}
        values: dict[str, Any] = {name: value for name, (_, value) in used.items()}
        period = " AND ".join(condition for condition, _ in used.values())
        process = "process IN {processes:Array(String)}" if self.processes else "true"
        if self.processes:
            values["processes"] = list(self.processes)
        if not period:
            return process, values
        if not self.whole_items:
            return f"{process} AND {period}", values
        begun = "startsWith(type, 'tieline.intervention.')"
        if self.to_at is not None:
            begun += " AND time < {to_at:DateTime64(6, 'UTC')}"
        items = f"(process, subject) IN (SELECT process, subject FROM events WHERE {process} AND {period})"
        return f"{process} AND ({items} OR {begun})", values


class Day(NamedTuple):
    """Distinct events of one day. `content` is the sum of the 128-bit hashes of their payloads."""

    day: date
    rows: int
    content: int


def days(client: Client, selection: Selection) -> list[Day]:
    """The days that have events, in order. Cost: keys and times of the archive are read."""
    where, parameters = selection.conditions()
    # Whatever a row is replaced by has the same time, so asking for it first cannot bring an older row back.
    sql = f"""
SELECT toDate32(time, 'UTC') AS day, count() AS rows, toString(sum(reinterpretAsUInt128(payload_hash)))
FROM events FINAL WHERE {where} GROUP BY day ORDER BY day"""
    rows = client.query(sql, parameters=parameters).result_rows
    return [Day(day, int(count), int(content) % 2**128) for day, count, content in rows]


def event_batches(client: Client, selection: Selection, span: tuple[date, date] | None = None) -> Iterator[Any]:
    """Arrow record batches of `SCHEMA`, by key: all events of a work item one behind the other.

    A row that the store has not merged yet may come twice, one behind the other.

    Args:
        span: the first and the last day wanted; None: all.
    Raises: ClickHouseError: also if the store goes away in mid-answer.
    Memory: a block, whatever the number of rows; the store reads in the order that rows lie in.
    """
    where, parameters = selection.conditions()
    days_only = ""
    if span is not None:
        days_only = (
            "PREWHERE time >= toDateTime64({first:String}, 6, 'UTC') AND time < toDateTime64({end:String}, 6, 'UTC')"
        )
        parameters |= {"first": f"{span[0]} 00:00:00", "end": f"{span[1] + timedelta(days=1)} 00:00:00"}
    sql = f"SELECT {_EXPRESSIONS} FROM events {days_only} WHERE {where} ORDER BY {_KEY}"
    # Not in Arrow's own format: the embedded store gives that whole or not at all.
    with client.query_column_block_stream(sql, parameters=parameters, settings=_READ) as stream:
        for block in stream:
            columns = [_array(values, field) for values, field in zip(block, SCHEMA, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _array(values: Any, field: Any) -> Any:
    if field.name == "time":
        return pa.array(values, pa.int64()).cast(field.type)
    return pa.array(values, field.type)


def count_events(client: Client, selection: Selection) -> int:
    """How many distinct rows `event_batches` has. Cost: as `days`."""
    where, parameters = selection.conditions()
    ((found,),) = client.query(f"SELECT count() FROM events FINAL WHERE {where}", parameters=parameters).result_rows
    return int(found)


def grouped(found: Sequence[Day], most_rows: int, most_days: int = 200) -> Iterator[list[Day]]:
    """Days that can be read together: asking for each alone would read the times of all rows each time."""
    group: list[Day] = []
    for day in found:
        if group and (sum(each.rows for each in group) + day.rows > most_rows or len(group) == most_days):
            yield group
            group = []
        group.append(day)
    if group:
        yield group
