"""Promotion: which run is shown as live in which periods of a process. Views read it; rows are never copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.errors import TielineError
from schemas.rows import period_start
from schemas.vocabulary import Period
from sinks.clickhouse.promoted_sql import LIVE
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.runs import find_run
from sinks.clickhouse.windows import refresh_priors

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2299, 1, 1)
"""What the store can keep."""


class PromotionRefused(TielineError):  # noqa: N818 - the domain word is the name
    """Nothing was changed. Operator action: what the message says."""


class Promotion(NamedTuple):
    """Live shows `run` for a process from a day on, until before another; the days are starts of its periods."""

    process: str
    run: str
    first: date
    after: date


class _Kept(NamedTuple):
    process: str
    period: Period
    first: date
    after: date
    run: str


def list_promotions(client: Client) -> list[Promotion]:
    """What is promoted now, by process and time; periods that follow one another are one."""
    found = []
    for (process, run, _), group in groupby(
        _joined(_kept(client)), key=lambda pair: (pair[0].process, pair[0].run, pair[1])
    ):
        periods = [kept for kept, _ in group]
        found.append(Promotion(process, run, periods[0].first, periods[-1].after))
    return found


def promote(client: Client, promotion: Promotion) -> list[Promotion]:
    """Shows a run as live there; returns what is promoted for the process then. Doing so again changes nothing.

    One insert of one block: readers see live before, or the run in all of these periods. Two that overlap are refused;
    of two such calls at the same instant the later insert counts, for each period.
    Raises: PromotionRefused: the run cannot be shown there, another one is, or the days are no starts of periods.
    """
    run = _promotable(client, promotion)
    period = _period(client, run, promotion.process)
    _require_known(run, promotion, period)
    wanted = list(_periods(promotion, period))
    taken = {(kept.process, kept.first): kept for kept in _kept(client) if kept.run != promotion.run}
    for first, _ in wanted:
        if other := taken.get((promotion.process, first)):
            raise PromotionRefused(
                f"{promotion.process}: run {other.run!r} is shown from {other.first} to {other.after}; undo that first"
            )
    _put(client, [_Kept(promotion.process, period, first, after, promotion.run) for first, after in wanted])
    return _of_process(client, promotion.process)


def demote(client: Client, run: str, process: str = "", first: date = FIRST_DAY, after: date = LAST_DAY) -> int:
    """Shows live again where this run was; returns in how many periods. None: it was not promoted there.

    Args:
        process: none is every one.
        first, after: half-open; a period that they touch is taken back whole.
    """
    found = [
        kept
        for kept in _kept(client)
        if kept.run == run and process in ("", kept.process) and kept.first < after and kept.after > first
    ]
    _put(client, [kept._replace(run="") for kept in found])
    return len(found)


def _put(client: Client, rows: Sequence[_Kept]) -> None:
    if rows:
        columns = ["process", "period", "period_start", "period_end", "run"]
        client.insert("promotions", [list(row) for row in rows], column_names=columns)
        refresh_priors(client, LIVE)


def _kept(client: Client) -> list[_Kept]:
    sql = """
SELECT process, period, period_start, period_end, run FROM promotions FINAL
WHERE run != '' ORDER BY process, period_start"""
    return [_Kept(*row) for row in client.query(sql).result_rows]


def _joined(kept: Sequence[_Kept]) -> Iterator[tuple[_Kept, int]]:
    """Each with the number of its stretch of periods that follow one another."""
    stretch = 0
    for before, one in zip([None, *kept], kept, strict=False):
        stretch += before is None or before.after != one.first
        yield one, stretch


def _of_process(client: Client, process: str) -> list[Promotion]:
    return [promotion for promotion in list_promotions(client) if promotion.process == process]


def _promotable(client: Client, promotion: Promotion) -> RunRecord:
    run = find_run(client, promotion.run)
    if run is None:
        raise PromotionRefused(f"there is no run {promotion.run!r}")
    if run.kind == "live":
        raise PromotionRefused(f"{run.run!r} is what is shown where nothing is promoted")
    if run.status != "finished":
        raise PromotionRefused(f"run {run.run!r} is {run.status}: only a finished one can be promoted")
    if run.role:
        raise PromotionRefused(f"run {run.run!r} is of one role only: promoted, it would hide the ties of all others")
    first, after = _midnight(promotion.first), _midnight(promotion.after)
    if (run.from_at and first < run.from_at) or (run.to_at and after > run.to_at):
        raise PromotionRefused(f"run {run.run!r} holds only what is from {run.from_at or '…'} to {run.to_at or '…'}")
    return run


def _require_known(run: RunRecord, promotion: Promotion, period: Period) -> None:
    """Raises: PromotionRefused: the run knows nothing of the end of the time, and would hide what live says there."""
    if run.as_of is None:
        return
    after = next_start(period_start(run.as_of, period), period)
    if promotion.after > after:
        raise PromotionRefused(
            f"run {run.run!r} knows nothing after {run.as_of:%Y-%m-%d %H:%M} UTC: promote it up to {after} at most"
        )


def _period(client: Client, run: RunRecord, process: str) -> Period:
    """The calendar periods of the process, which have to be the same in both runs."""
    sql = "SELECT run, period FROM processes FINAL WHERE process = {process:String} AND run IN ('live', {run:String})"
    rows = client.query(sql, parameters={"process": process, "run": run.run}).result_rows
    found: dict[str, Period] = {str(name): period for name, period in rows}
    for name in (run.run, LIVE):
        if name not in found:
            raise PromotionRefused(f"run {name!r} has no process {process!r}")
    if found[run.run] != found[LIVE]:
        raise PromotionRefused(
            f"{process}: run {run.run!r} counts by {found[run.run]}, live by {found[LIVE]}: they cannot be shown as one"
        )
    return found[LIVE]


def _periods(promotion: Promotion, period: Period) -> Iterator[tuple[date, date]]:
    """The first day of each period, and the day after it.

    Raises: PromotionRefused: the promotion does not start or end with one.
    """
    if not FIRST_DAY <= promotion.first < promotion.after <= LAST_DAY:
        raise PromotionRefused(f"from {promotion.first} to {promotion.after}: expected an earlier and a later day")
    for name, day in (("from", promotion.first), ("to", promotion.after)):
        start = period_start(_midnight(day), period)
        if start != day:
            raise PromotionRefused(
                f"{promotion.process} counts by {period}, and --{name} {day} is inside of one; the nearest starts are"
                f" {start} and {next_start(start, period)}"
            )
    first = promotion.first
    while first < promotion.after:
        after = next_start(first, period)
        yield first, after
        first = after


def next_start(first: date, period: Period) -> date:
    """The first day of the period after the one that starts on a day."""
    longest = {"week": 7, "month": 31, "quarter": 92}[period]
    return period_start(_midnight(first + timedelta(days=longest)), period)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
