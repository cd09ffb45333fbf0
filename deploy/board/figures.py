"""How a value is written for people."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time
from typing import Any

from deploy.board.markup import Html, tag, text
from deploy.dashboards.panel import Column

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def duration(seconds: float) -> str:
    """`34 s`, `12 min`, `3 h 05 min`, `4 d 6 h`; a minus sign before the past."""
    whole = round(abs(seconds))
    sign = "−" if seconds < 0 and whole else ""
    if whole < MINUTE_S:
        return f"{sign}{whole} s"
    if whole < HOUR_S:
        return f"{sign}{whole // MINUTE_S} min"
    if whole < DAY_S:
        return f"{sign}{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S:02d} min"
    return f"{sign}{whole // DAY_S} d {whole % DAY_S // HOUR_S} h"


def size(count: float) -> str:
    """Bytes, in a unit that fits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def day(at: datetime) -> str:
    """`23 Nov 2026`, in UTC."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}"


def moment(at: datetime) -> str:
    """A day where it is midnight, as at the ends of periods; else day and time, in UTC."""
    utc = at.astimezone(UTC)
    return day(utc) if utc.time() == time(0) else f"{day(utc)} {utc:%H:%M} UTC"


def number(value: float, decimals: int | None) -> str:
    """With thousands apart and a real minus sign; as many decimals as asked for, else what fits."""
    if decimals is None:
        written = f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.3g}"
    else:
        written = f"{value:,.{decimals}f}"
    return written.replace("-", "−") if float(written.replace(",", "")) else written.lstrip("-")


def is_missing(value: Any) -> bool:
    """Null, or not a number: neither is ever shown as a figure."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def written(column: Column, value: Any) -> str:
    """A value of the column as plain text."""
    if is_missing(value):
        return column.when_null
    match column.kind:
        case "time":
            return moment(value) if isinstance(value, datetime) else str(value)
        case "seconds":
            return _until(float(value)) if column.name.startswith("due_in") else duration(float(value))
        case "bytes":
            return size(float(value))
        case "count":
            return f"{int(value):,}"
        case "share":
            return f"{float(value):.{2 if column.decimals is None else column.decimals}f}"
        case "number":
            return number(float(value), column.decimals)
        case "flag":
            return "yes" if value else "no"
        case "list":
            return ", ".join(map(str, value)) or column.when_null
        case _:
            return str(value)


def _until(seconds: float) -> str:
    return f"{duration(-seconds)} ago" if seconds < 0 else duration(seconds)


def cell(column: Column, value: Any) -> Html:
    """A value as markup: times say themselves to machines, so that the page can write them in the reader's own zone."""
    shown = written(column, value)
    if column.kind == "time" and isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return tag("time", shown, datetime=f"{utc:%Y-%m-%dT%H:%M:%SZ}", data_whole_day=utc.time() == time(0))
    return text(shown)
