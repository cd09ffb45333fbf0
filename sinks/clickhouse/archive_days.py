"""The archive by day of event time: what there is, and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

COLUMNS = ("process", "subject", "source", "id", "type", "time", "site", "sequence", "payload", "payload_hash")
_KEY = "process, subject, source, id, payload_hash"
_READ = {
    "optimize_read_in_order": 1,
    "max_threads": 1,
    "max_block_size": 4096,
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_compression_method": "none",
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
    """The days that have events, in order. Cost: 0.5 s per million rows of the archive, keys and times are read."""
    where, parameters = selection.conditions()
    # Whatever a row is replaced by has the same time, so asking for it first cannot bring an older row back.
    sql = f"""
SELECT toDate(time, 'UTC') AS day, count() AS rows, toString(sum(reinterpretAsUInt128(payload_hash)))
FROM events FINAL WHERE {where} GROUP BY day ORDER BY day"""
    rows = client.query(sql, parameters=parameters).result_rows
    return [Day(day, int(count), int(content) % 2**128) for day, count, content in rows]


def event_batches(client: Client, selection: Selection, span: tuple[date, date] | None = None) -> Iterator[Any]:
    """Arrow record batches of `COLUMNS`, by key: all events of a work item one behind the other.

    A row that the store has not merged yet may come twice, one behind the other.

    Args:
        span: the first and the last day wanted; None: all.
    Memory: a block, whatever the number of rows; the store reads in the order that rows lie in.
    """
    where, parameters = selection.conditions()
    days_only = ""
    if span is not None:
        days_only = (
            "PREWHERE time >= toDateTime64({first:String}, 6, 'UTC') AND time < toDateTime64({end:String}, 6, 'UTC')"
        )
        parameters |= {"first": f"{span[0]} 00:00:00", "end": f"{span[1] + timedelta(days=1)} 00:00:00"}
    sql = f"SELECT {', '.join(COLUMNS)} FROM events {days_only} WHERE {where} ORDER BY {_KEY}"
    with client.query_arrow_stream(sql, parameters=parameters, settings=_READ) as stream:
        yield from stream


def count_events(client: Client, selection: Selection) -> int:
    """How many rows `event_batches` has, repeats included; for progress."""
    where, parameters = selection.conditions()
    ((found,),) = client.query(f"SELECT count() FROM events WHERE {where}", parameters=parameters).result_rows
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
