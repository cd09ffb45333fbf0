"""The retrospective report: asks the views that every reader may read, and writes the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deploy.composition.reading import Reader, Row, quoted
from deploy.composition.survey import beside_proxy, calibrations, surveys
from deploy.report.asked import Asked
from deploy.report.findings import Effect, Findings, Survey, Tie
from deploy.report.questions import COMPARISON, STATEMENTS
from schemas.errors import TielineError

if TYPE_CHECKING:
    from deploy.composition.effects import EffectOnTie


class NothingToReport(TielineError):  # noqa: N818 - says what is the matter
    """No such process or run.

    Operator action: see `tieline status`, and choose a process and a run that are there.
    """


def processes(reader: Reader, run: str) -> list[str]:
    """The processes of a run, in alphabetical order."""
    rows = reader.rows(f"SELECT DISTINCT process FROM quality_processes WHERE run = {quoted(run)} ORDER BY process")
    return [str(row["process"]) for row in rows]


def chosen_processes(reader: Reader, asked: Asked) -> list[str]:
    """The process that is asked for, or all of the run.

    Raises: NothingToReport: the run (or the one to compare with) is not there, or has no such process.
    """
    found = processes(reader, asked.run)
    if not found:
        raise NothingToReport(f"there is no run {asked.run!r} with a process in it")
    if asked.process and asked.process not in found:
        raise NothingToReport(f"run {asked.run!r} has no process {asked.process!r}; it has {', '.join(found)}")
    if asked.compare and not processes(reader, asked.compare):
        raise NothingToReport(f"there is no run {asked.compare!r} to compare with")
    return [asked.process] if asked.process else found


def gather(reader: Reader, asked: Asked, said: Callable[[str], None] = lambda _: None) -> Findings:
    """Everything the views say about one process.

    Args:
        said: told what is being asked, for a progress display.
    Raises: ViewRefused, TransientError: as the reader.
    Cost: a dozen statements, each below a second over millions of rows.
    """
    statements = {**STATEMENTS, **(COMPARISON if asked.compare else {})}
    rows: dict[str, Sequence[Row]] = {}
    for name, sql in statements.items():
        said(name)
        rows[name] = reader.rows(asked.sql(sql))
    said("surveys")
    found = tuple(_surveys(reader, asked))
    said("effects")
    followed = tuple(_effects(reader, asked, rows["interventions"]))
    return Findings(asked, **rows, surveys=found, effects=followed)


def _surveys(reader: Reader, asked: Asked) -> list[Survey]:
    """Those that were taken in the asked time."""
    found = []
    for each in surveys(reader, asked.process):
        if asked.start <= each["at"] < asked.end:
            rows = beside_proxy(reader, process=asked.process, survey=each["survey"], run=asked.run, site=asked.site)
            calibrated = {(row.dimension, row.origin): row.found for row in calibrations(rows)}
            found.append(Survey(each["survey"], each["at"], rows, calibrated))
    return found


def _effects(reader: Reader, asked: Asked, interventions: Sequence[Row]) -> Iterator[Effect]:
    """Of the interventions that were in force within the asked time."""
    if not interventions:
        return
    from deploy.composition.effects import effects  # numpy and scipy, only where there is something to compute

    names = {row["title"] for row in interventions}
    for each in effects(reader, run=asked.run, process=asked.process):
        if each.name in names and (not asked.site or each.site in ("", asked.site)):
            yield _effect(each)


def _effect(each: EffectOnTie) -> Effect:
    found, series = each.effect, each.series
    change = found.headline
    return Effect(
        each.name,
        Tie(series.communicator_role, series.experiencer_role, series.origin),
        series.dimension,
        None if change is None else change.estimate,
        None if change is None else change.low,
        None if change is None else change.high,
        found.before,
        found.after,
        found.n_before,
        found.n_after,
        found.value_before,
        found.value_after,
        found.ties_compared,
        found.notes,
    )


def for_process(asked: Asked, process: str) -> Asked:
    return replace(asked, process=process)
