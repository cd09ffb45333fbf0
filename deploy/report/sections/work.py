"""What the work looked like: how much, how it flowed, and when."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from deploy.report.document import Block, Picture, Section, Table, Text
from deploy.report.drawing.bars import Bar, bars_over_time
from deploy.report.drawing.canvas import told_interventions
from deploy.report.drawing.week import DAYS, week
from deploy.report.findings import Findings, Row
from deploy.report.words import count, day, listed, share

_NO_PERIOD = (
    "No period of this process may be shown: too few people or work items in each, or nothing was observed. That is an"
    " answer, not a zero."
)


def section(found: Findings) -> Section:
    return Section(
        "What the work looked like",
        sections=(_volume(found), _flow(found), _hours(found)),
        key="work",
    )


def shown_from(found: Findings) -> datetime:
    """Where time axes begin: whole periods may begin before the time that was asked for."""
    earliest: datetime = min([found.asked.start, *(row["since"] for row in found.periods)])
    return earliest


def _volume(found: Findings) -> Section:
    offered: dict[tuple[datetime, datetime], int] = defaultdict(int)
    for row in found.periods:
        if row["dimension"] == "timeliness":
            offered[row["since"], row["until"]] += int(row["handoffs"])
    rows = sorted((key, number) for key, number in offered.items() if number)
    title = "Handoffs, period by period"
    if not rows:
        return Section(title, (Text(_NO_PERIOD),))
    start, end = shown_from(found), found.asked.end
    caption = "Handoffs that people answered, or should have, in the periods of ties that may be shown."
    told = listed([f"from {day(since)}: {count(number)}" for (since, _), number in rows], 80)
    picture = Picture(
        bars_over_time(
            [Bar(since, until, number) for (since, until), number in rows], start, end, found.interventions, "handoffs"
        ),
        caption + told_interventions(found.interventions, start, end),
        f"Bars over time, one for each period. Handoffs {told}.",
    )
    table = Table(
        "Handoffs by period",
        ("period from", "to", "handoffs"),
        tuple((day(since), day(until), count(number)) for (since, until), number in rows),
        narrow=True,
    )
    return Section(title, (picture, table))


def _flow(found: Findings) -> Section:
    title = "Waiting and being worked on"
    rows = [row for row in found.flow if row["n"]]
    if not rows:
        return Section(title, (Text(_NO_PERIOD),))
    start, end = shown_from(found), found.asked.end
    told = listed([f"from {day(row['time'])}: {_hours_told(row)}" for row in rows], 80)
    picture = Picture(
        bars_over_time(
            _bars(rows, end), start, end, found.interventions, "hours, mean", ("waiting to be accepted", "accepted")
        ),
        "Mean hours from an offer until somebody accepts, and from then until the receiver's turn ends."
        + told_interventions(found.interventions, start, end),
        f"Stacked bars over time, one for each period. {told}.",
    )
    table = Table(
        "Waiting and being worked on, by period",
        ("period from", "hours waiting, mean", "hours accepted, mean", "share accepted", "handoffs"),
        tuple(
            (
                day(row["time"]),
                f"{row['waited_h']:.1f}",
                f"{row['held_h']:.1f}",
                share(row["efficiency"]),
                count(row["n"]),
            )
            for row in rows
        ),
    )
    return Section(title, (picture, table))


def _hours_told(row: Row) -> str:
    return f"{row['waited_h']:.1f} h waiting, {row['held_h']:.1f} h accepted, n {count(row['n'])}"


def _bars(rows: list[Row], end: datetime) -> list[Bar]:
    ends = [row["time"] for row in rows[1:]]
    widths = [after - row["time"] for row, after in zip(rows, ends, strict=False)]
    width = min(widths) if widths else end - rows[0]["time"]
    return [Bar(row["time"], row["time"] + width, row["waited_h"], row["held_h"]) for row in rows]


def _hours(found: Findings) -> Section:
    title = "Hours of the week"
    counts = {(int(row["day"]), int(row["hour"])): int(row["offered"]) for row in found.hours}
    if not counts:
        return Section(title, (Text(_NO_PERIOD),))
    by_day = [(name, sum(counts.get((place, hour), 0) for hour in range(24))) for place, name in enumerate(DAYS, 1)]
    by_hour = [sum(counts.get((place, hour), 0) for place in range(1, 8)) for hour in range(24)]
    blocks: list[Block] = [
        Picture(
            week(counts),
            "When handoffs are offered. Numbers are handoffs; shades repeat them.",
            "A grid of seven days and 24 hours with the number of handoffs in each cell. By day: "
            + ", ".join(f"{name} {count(number)}" for name, number in by_day)
            + ". By hour: "
            + ", ".join(f"{hour:02} h {count(number)}" for hour, number in enumerate(by_hour))
            + ".",
        ),
        Table(
            "Handoffs by day and part of the day",
            ("day", "00 to 06", "06 to 12", "12 to 18", "18 to 24", "all"),
            tuple(_day_row(counts, place, name) for place, name in enumerate(DAYS, 1)),
            narrow=True,
        ),
    ]
    return Section(title, tuple(blocks))


def _day_row(counts: dict[tuple[int, int], int], place: int, name: str) -> tuple[str, ...]:
    quarters = [sum(counts.get((place, hour), 0) for hour in range(start, start + 6)) for start in (0, 6, 12, 18)]
    return (name, *map(count, quarters), count(sum(quarters)))
