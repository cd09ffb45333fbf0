"""Effects of registered interventions: series from the store, judged by `streams.inference.effect`, kept for panels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from deploy.composition.interventions import only_one, registered, ties_of
from deploy.composition.reading import Reader, Row, quoted
from schemas.rows import period_start
from schemas.vocabulary import Period
from streams.inference.effect.effect import Effect, Estimates, effect_of
from streams.inference.effect.window import Window

_EVER = ("1970-01-05", "2199-12-30")
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
ANSWERS = tuple(field.name for field in fields(Estimates) if field.name not in ("rho", "degrees"))
"""Of `Estimates`, each with an interval."""

Tie = tuple[str, str]


class SeriesName(NamedTuple):
    """One direction of a tie on one dimension."""

    communicator_role: str
    experiencer_role: str
    dimension: str
    origin: str

    @property
    def roles(self) -> frozenset[str]:
        return frozenset({self.communicator_role, self.experiencer_role})

    def touched_by(self, ties: Sequence[Tie]) -> bool:
        """No ties mean the whole process. Frequency belongs to both directions."""
        both = {(self.communicator_role, self.experiencer_role)}
        if self.dimension == "frequency":
            both.add((self.experiencer_role, self.communicator_role))
        return not ties or not both.isdisjoint(ties)


@dataclass(frozen=True, slots=True)
class EffectOnTie:
    """What an intervention did to one series, as far as it can be told.

    Attributes:
        intervention, name, kind: of the intervention.
        from_at, to_at: start of the first window and end of the last; None without windows.
    """

    run: str
    process: str
    site: str
    intervention: str
    name: str
    kind: str
    series: SeriesName
    from_at: datetime | None
    to_at: datetime | None
    effect: Effect

    @property
    def headline_name(self) -> str:
        """Which answer the verdict rests on."""
        found = self.effect.compared or self.effect.alone
        return "" if found is None else "average" if found.trend_before.clear else "step"


_TO_REGISTER = timedelta(days=1)
"""After the first whole window has begun: whoever registers on the day of the start has seen nothing of it yet."""


class Place(NamedTuple):
    """An intervention, and the run in which it is looked at."""

    run: str
    process: str
    site: str
    intervention: str


def effects(
    reader: Reader,
    *,
    run: str = "live",
    process: str = "",
    intervention: str = "",
    dimension: str = "",
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[EffectOnTie]:
    """Effects on every series that an intervention touches, by intervention and tie; publishable, ripe periods only.

    Args:
        process, intervention, dimension: empty: all.
        told: how many series are done, of how many.
    Raises: InterventionRefused: no such intervention. ViewRefused, TransientError: see `Reader`.
    Cost: one question per process and site, then 30 to 200 ms per series.
    """
    wanted = _wanted(reader, process, intervention)
    histories = {
        (name, site): _History(reader, run, name, site)
        for name, site in sorted({(str(row["process"]), str(row["site"])) for row in wanted})
    }
    jobs = [
        (row, histories[row["process"], row["site"]], series)
        for row in wanted
        for series in histories[row["process"], row["site"]].touched(ties_of(row))
        if dimension in ("", series.dimension)
    ]
    found = []
    for done, (row, history, series) in enumerate(jobs):
        told(done, len(jobs))
        found.append(history.effect(row, series))
    told(len(jobs), len(jobs))
    return found


def looked_at(reader: Reader, *, run: str = "live", process: str = "", intervention: str = "") -> list[Place]:
    """Where `effects` looks for series, found or not. Arguments and errors as there."""
    wanted = _wanted(reader, process, intervention)
    return sorted(Place(run, str(row["process"]), str(row["site"]), str(row["intervention"])) for row in wanted)


def _wanted(reader: Reader, process: str, intervention: str) -> list[Row]:
    return [only_one(reader, intervention, process)] if intervention else list(registered(reader, process))


class _History:
    """All series of one process at one site (empty: everywhere), and what is registered there."""

    def __init__(self, reader: Reader, run: str, process: str, site: str) -> None:
        self._run, self._process, self._site = run, process, site
        self._period = _period_of(reader, run, process)
        self._interventions = [
            row for row in registered(reader, process) if site in ("", row["site"]) or not row["site"]
        ]
        self._series: dict[SeriesName, list[Window]] = defaultdict(list)
        for name, window in _windows(reader, run, process, site, self._period):
            self._series[name].append(window)

    def touched(self, ties: Sequence[Tie]) -> list[SeriesName]:
        return sorted(name for name in self._series if name.touched_by(ties))

    def effect(self, row: Row, series: SeriesName) -> EffectOnTie:
        first, begun_within = self._first_whole(row["started_at"])
        windows = [window for window in self._series[series] if not begun_within or window.number != first - 1]
        end = None if row["ended_at"] is None else self._number(row["ended_at"])
        used = [window.number for window in windows if end is None or window.number < end]
        span = (min(used), max(used)) if used else None
        late = row["registered_at"] is not None and row["registered_at"] >= self._start_of(first) + _TO_REGISTER
        found = effect_of(
            windows,
            first,
            end=end,
            comparison=self._comparison(row, series, span),
            registered_late=late,
            other_intervention=any(self._others(row, series, span)),
        )
        return EffectOnTie(
            self._run,
            self._process,
            self._site,
            str(row["intervention"]),
            str(row["name"]),
            str(row["kind"]),
            series,
            self._start_of(span[0]) if span else None,
            self._start_of(span[1] + 1) if span else None,
            found,
        )

    def _comparison(self, row: Row, series: SeriesName, span: tuple[int, int] | None) -> list[list[Window]]:
        """Ties that share no role with what the intervention touches, and that no other touched in these windows."""
        ties = ties_of(row)
        if not ties:
            return []
        roles = {role for tie in ties for role in tie}
        return [
            windows
            for name, windows in self._series.items()
            if (name.dimension, name.origin) == (series.dimension, series.origin)
            and roles.isdisjoint(name.roles)
            and not any(self._others(row, name, span))
        ]

    def _others(self, row: Row, series: SeriesName, span: tuple[int, int] | None) -> Iterator[Row]:
        """Other interventions on this series that began or ended within these windows."""
        if span is None:
            return
        since, until = self._start_of(span[0]), self._start_of(span[1] + 1)
        for other in self._interventions:
            changes = [at for at in (other["started_at"], other["ended_at"]) if at is not None]
            itself = (other["site"], other["intervention"]) == (row["site"], row["intervention"])
            if not itself and series.touched_by(ties_of(other)) and any(since < at < until for at in changes):
                yield other

    def _first_whole(self, at: datetime) -> tuple[int, bool]:
        """The first period that lies whole after an instant, and whether the one before it was cut by it."""
        number = self._number(at)
        cut = self._start_of(number) < at
        return number + cut, cut

    def _number(self, at: datetime) -> int:
        return period_number(at, self._period)

    def _start_of(self, number: int) -> datetime:
        return period_of_number(number, self._period)


def period_number(at: datetime, period: Period) -> int:
    """The number of the period that an instant lies in; neighbours have neighbouring numbers."""
    first = period_start(at, period)
    if period == "week":
        return (first - _MONDAY.date()).days // 7
    return (first.year * 12 + first.month - 1) // (3 if period == "quarter" else 1)


def period_of_number(number: int, period: Period) -> datetime:
    """When the period of a number begins."""
    if period == "week":
        return _MONDAY + timedelta(weeks=number)
    month = number * (3 if period == "quarter" else 1)
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _period_of(reader: Reader, run: str, process: str) -> Period:
    rows = reader.rows(
        f"SELECT period FROM quality_processes WHERE run IN ({quoted(run)}, 'live') AND process = {quoted(process)}"
        f" ORDER BY run = {quoted(run)} DESC LIMIT 1"
    )
    period: Period = rows[0]["period"] if rows else "month"
    return period


def _windows(reader: Reader, run: str, process: str, site: str, period: Period) -> Iterator[tuple[SeriesName, Window]]:
    """The points of control charts: the same definition of what is ripe and may be shown."""
    asked = {"run": run, "from": _EVER[0], "to": _EVER[1], "process": process, "site": site}
    arguments = ", ".join(f"`{name}` = {quoted(value)}" for name, value in asked.items())
    columns = ", ".join(SeriesName._fields)
    for row in reader.rows(f"SELECT {columns}, period_start, value, n FROM tie_control({arguments})"):
        name = SeriesName(*(str(row[column]) for column in SeriesName._fields))
        yield name, Window(period_number(row["period_start"], period), float(row["value"]), float(row["n"]))


def effect_record(found: EffectOnTie, computed_at: datetime) -> dict[str, Any]:
    """A row of the table `effects`."""
    effect = found.effect
    return {
        "run": found.run,
        "process": found.process,
        "site": found.site,
        "intervention": found.intervention,
        **found.series._asdict(),
        "from_at": found.from_at,
        "to_at": found.to_at,
        "before": effect.before,
        "after": effect.after,
        "n_before": effect.n_before,
        "n_after": effect.n_after,
        "value_before": effect.value_before,
        "value_after": effect.value_after,
        "alone": answers_of(effect.alone),
        "compared": answers_of(effect.compared),
        "ties_compared": effect.ties_compared,
        "headline": found.headline_name,
        "notes": list(effect.notes),
        "verdict": effect.verdict,
        "computed_at": computed_at,
    }


def answers_of(found: Estimates | None) -> dict[str, list[float]]:
    """Answer to [estimate, low, high]; empty without estimates."""
    if found is None:
        return {}
    changes = {name: getattr(found, name) for name in ANSWERS}
    return {name: [change.estimate, change.low, change.high] for name, change in changes.items()}


def store_effects(
    client: Any, found: Sequence[EffectOnTie], computed_at: datetime, *, whole: Sequence[Place] = ()
) -> None:
    """Keep what was found, for panels; what was found of the same series before is replaced.

    Args:
        client: of the store, with the right to write.
        whole: interventions of which these are all series: what else was kept of those may no longer be shown.
    """
    from sinks.clickhouse.insert import insert_rows
    from sinks.clickhouse.shards import delete_rows

    if found:
        insert_rows(client, "effects", [_json(effect_record(each, computed_at)) for each in found])
    for place in whole:
        older = (
            "run = {run:String} AND process = {process:String} AND site = {site:String}"
            " AND intervention = {intervention:String} AND computed_at < {at:DateTime64(6, 'UTC')}"
        )
        delete_rows(client, "effects", older, {**place._asdict(), "at": computed_at})


def _json(record: Mapping[str, Any]) -> bytes:
    from pydantic_core import to_json

    return to_json(record)
