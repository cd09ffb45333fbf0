"""The customer's own survey beside the proxies, and how far the one goes along with the other."""

from __future__ import annotations

from collections import defaultdict

from deploy.report.document import Block, Picture, Section, Table, Text
from deploy.report.drawing.scatter import Beside, scatters
from deploy.report.findings import Findings, Row, Survey, tie_of
from deploy.report.words import NOTHING, count, day, dimension_name, figure, interval, listed, share
from schemas.vocabulary import DIMENSIONS

_TITLE = "Your survey beside the proxies"


def section(found: Findings) -> Section:
    if not found.surveys:
        none = Text(
            "No survey of this process was imported that was taken in this time. The figures of this report are proxies"
            " made from events; whether they say at your place what people would say has not been looked at."
        )
        return Section(_TITLE, (none,), key="survey")
    explained = Text(
        "Raters are the role that experiences, rated is the role that communicates. The proxy is of the 90 days before"
        " the survey, in whole periods. Shared goals, shared knowledge and mutual respect come from the survey alone:"
        " events cannot show them. No cut points are applied."
    )
    return Section(_TITLE, (explained,), tuple(_survey(survey) for survey in found.surveys), key="survey")


def _survey(survey: Survey) -> Section:
    blocks: list[Block] = []
    points = _points(survey)
    if points:
        blocks.append(_picture(survey, points))
    blocks.append(_calibrations(survey))
    blocks.append(_table(survey))
    return Section(f"Survey {survey.name}, taken {day(survey.taken_at)}", tuple(blocks))


def _points(survey: Survey) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in survey.rows:
        if row["survey_mean"] is not None and row["estimate"] is not None:
            name = dimension_name(row["dimension"]) + (" (inferred)" if row["origin"] == "inferred" else "")
            found[name].append(row)
    return dict(sorted(found.items()))


def _picture(survey: Survey, points: dict[str, list[Row]]) -> Picture:
    told = [
        f"{name}, {tie_of(row).name}: survey {share(row['survey_mean'])}, proxy {share(row['estimate'])}"
        for name, rows in points.items()
        for row in rows
    ]
    return Picture(
        scatters([(name, [_beside(row) for row in rows]) for name, rows in points.items()]),
        f"Survey {survey.name} and proxies, one point for each tie of which both may be shown; lines: intervals.",
        f"Scatter plots, one for each dimension. {listed(told)}.",
    )


def _beside(row: Row) -> Beside:
    return Beside(
        row["survey_mean"], (row["survey_low"], row["survey_high"]), row["estimate"], (row["low"], row["high"])
    )


def _calibrations(survey: Survey) -> Block:
    if not survey.calibrations:
        return Text("Not enough data: there is no tie of which both figures may be shown.")
    rows = tuple(
        (
            dimension_name(dimension) + (" (inferred)" if origin == "inferred" else ""),
            count(found.ties),
            count(found.roles),
            NOTHING if found.correlation is None else f"{found.correlation:.2f} ({interval(found.low, found.high)})",
            found.verdict,
        )
        for (dimension, origin), found in sorted(survey.calibrations.items())
    )
    return Table(
        "Do ties that the survey rates higher have a higher proxy? Rank correlation with its 90 % interval. Not"
        " validated here: fewer than 20 ties or 7 roles, or an interval that holds 0.",
        ("dimension", "ties", "roles", "rank correlation", "verdict"),
        rows,
    )


def _table(survey: Survey) -> Table:
    return Table(
        "Survey and proxy, tie by tie",
        ("rated → rater", "dimension", "survey: mean (90 % interval), n", "proxy (90 % interval), n"),
        tuple((tie_of(row).name, dimension_name(row["dimension"]), _said(row), _proxy(row)) for row in survey.rows),
    )


def _said(row: Row) -> str:
    said = figure(row["survey_mean"], row["survey_low"], row["survey_high"], row["survey_n"])
    return str(row["survey_status"]) if said == NOTHING else said


def _proxy(row: Row) -> str:
    if row["dimension"] not in DIMENSIONS:
        return "from the survey alone"
    said = figure(row["estimate"], row["low"], row["high"], row["n"])
    return str(row["proxy_status"]) if said == NOTHING else said
