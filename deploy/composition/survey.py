"""Surveys: bringing a customer's own results in, and holding the proxies against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from deploy.composition.reading import Reader, Row, quoted
from schemas.errors import TielineError
from schemas.events.survey import SurveyScored
from schemas.vocabulary import DIMENSIONS
from streams.inference.calibration import Calibration, RatedTie, calibration

Said = tuple[datetime, float, int]
About = tuple[str, str, str, str]


class SurveyDiffers(TielineError):  # noqa: N818 - says what is the matter
    """A survey with this id is there already, and says something else. Results are never changed.

    Operator action: import the corrected results under another id, and say which one counts.
    """


class CalibrationRow(NamedTuple):
    """How one dimension's proxy goes along with one survey; explicit and inferred ties apart."""

    process: str
    survey: str
    dimension: str
    origin: str
    found: Calibration


def refuse_other_contents(reader: Reader, events: Sequence[SurveyScored]) -> int:
    """Returns: how many of these results are there already, with the same content.

    Raises: SurveyDiffers.
    """
    if not events:
        return 0
    first = events[0]
    there = _there(reader, first.process, first.subject)
    differing = sum(_about(event) in there and there[_about(event)] != _said(event) for event in events)
    if differing:
        raise SurveyDiffers(
            f"survey {first.subject!r} of {first.process!r} is there already, and {differing:,} of its results say"
            " something else; import it under another --survey"
        )
    return sum(_about(event) in there for event in events)


def _there(reader: Reader, process: str, survey: str) -> dict[About, Said]:
    rows = reader.rows(
        f"""SELECT site, experiencer_role, communicator_role, dimension, at, mean, n FROM quality_surveys
WHERE process = {quoted(process)} AND survey = {quoted(survey)} AND isNotNull(mean)"""
    )
    return {
        (row["site"], row["experiencer_role"], row["communicator_role"], row["dimension"]): (
            row["at"],
            float(row["mean"]),
            int(row["n"]),
        )
        for row in rows
    }


def _about(event: SurveyScored) -> About:
    return (event.site, event.data.rater_role, event.data.rated_role, event.data.dimension)


def _said(event: SurveyScored) -> Said:
    return event.time, event.data.mean, event.data.n


def surveys(reader: Reader, process: str = "") -> list[Row]:
    """One row for each survey: process, survey, site, at, results, shown, hidden, ties, dimensions."""
    where = f"WHERE process = {quoted(process)}" if process else ""
    return reader.rows(
        f"""SELECT process, survey, max(s.at) AS at, count() AS results, countIf(status = 'shown') AS shown,
    results - shown AS hidden, uniqExact((communicator_role, experiencer_role)) AS ties,
    arraySort(groupUniqArray(toString(dimension))) AS dimensions
FROM quality_surveys AS s {where} GROUP BY process, survey ORDER BY at, process, survey"""
    )


def beside_proxy(reader: Reader, *, process: str, survey: str, run: str = "live", site: str = "") -> list[Row]:
    """The view `survey_beside_proxy`: what a survey and the proxies say about each tie, both with n and interval."""
    asked = {"run": run, "from": "1970-01-01", "to": "2200-01-01", "process": process, "site": site, "survey": survey}
    arguments = ", ".join(f"`{name}` = {quoted(value)}" for name, value in asked.items())
    return reader.rows(
        f"""SELECT * FROM survey_beside_proxy({arguments})
ORDER BY communicator_role, experiencer_role, dimension, origin"""
    )


def calibrations(rows: Iterable[Row]) -> list[CalibrationRow]:
    """For each communication dimension and origin, over ties of which both figures may be shown."""
    ties: dict[tuple[str, str, str, str], list[RatedTie]] = defaultdict(list)
    for row in rows:
        if row["dimension"] in DIMENSIONS and row["origin"]:
            key = (row["process"], row["survey"], row["dimension"], row["origin"])
            ties[key] += _rated(row)
    return [CalibrationRow(*key, calibration(found)) for key, found in sorted(ties.items())]


def _rated(row: Mapping[str, Any]) -> list[RatedTie]:
    if row["survey_mean"] is None or row["estimate"] is None:
        return []
    return [RatedTie(row["communicator_role"], row["experiencer_role"], row["survey_mean"], row["estimate"])]
