"""Builders of what views say, for reports without a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from deploy.report.asked import Asked
from deploy.report.findings import Effect, Findings, Row, Survey, Tie
from streams.inference.calibration import Calibration

START, END = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
DIMENSIONS = ("frequency", "timeliness", "accuracy", "problem_solving")
SHOWN: dict[str, Any] = {
    "hidden_share": None,
    "status": "shown",
    "n": 120,
    "pending": 2,
    "work_items": 40,
    "estimate": 0.8,
    "low": 0.7,
    "high": 0.88,
}
WITHOUT: dict[str, Any] = dict.fromkeys(("n", "pending", "work_items", "estimate", "low", "high"))


def asked(**fields: Any) -> Asked:
    given: dict[str, Any] = {"process": "ed-to-ward", "start": START, "end": END}
    return Asked(**given | fields)


def of(communicator: str, experiencer: str, **fields: Any) -> dict[str, Any]:
    return {"communicator_role": communicator, "experiencer_role": experiencer, "origin": "explicit", **fields}


def figures(*roles: tuple[str, str], **fields: Any) -> list[Row]:
    """The same figure for every dimension of these ties."""
    return [of(*pair, dimension=dimension, **SHOWN | fields) for pair in roles for dimension in DIMENSIONS]


def findings(one: str = "ed-nurse", other: str = "ward-nurse", **fields: Any) -> Findings:
    """A process with one pair of roles, a hidden third role, and something of everything."""
    weeks = [START + timedelta(weeks=number) for number in range(21)]
    there, back = of(one, other), of(other, one)
    given: dict[str, Any] = {
        "asked": asked(),
        "covered": [
            {"since": START, "until": END, "ties_shown": 2, "ties_hidden": 1, "all_ties": 3, "n": 960, "pending": 2}
        ],
        "periods": [
            {**tie, "since": week, "until": week + timedelta(weeks=1), "dimension": "timeliness", "value": 0.8, "n": 9,
             "pending": 0, "handoffs": 9}
            for week in weeks
            for tie in (there, back)
        ],
        "flow": [{"time": week, "held_h": 4.5, "waited_h": 0.5, "efficiency": 0.9, "n": 18} for week in weeks],
        "hours": [{"day": 1, "hour": 9, "offered": 40}, {"day": 7, "hour": 23, "offered": 3}],
        "answers": [
            {**tie, "waited_s": at, "answered": share, "low": share - 0.05, "high": share + 0.05, "at_risk": 9, "n": 99}
            for tie in (there, back)
            for at, share in ((0.0, 0.05), (600.0, 0.2), (3000.0, 0.6), (90_000.0, 0.9))
        ],
        "marks": [
            {**there, "dimension": "accuracy", "mark": "missing", "times": 12, "of_n": 120},
            {**there, "dimension": "timeliness", "mark": "late", "times": 30, "of_n": 120},
            {**back, "dimension": "problem_solving", "mark": "bounced", "times": 7, "of_n": 90},
        ],
        "figures": [
            *figures((one, other)),
            *figures((other, one), estimate=0.5, low=0.4, high=0.6),
            *figures((one, "porter"), **WITHOUT, status="hidden: too few people"),
        ],
        "control": [
            {**there, "dimension": "timeliness", "period_start": week, "value": 0.8, "n": 9, "center": 0.75,
             "lower": 0.5, "upper": 1.0, "points": 21, "special": number == 7,
             "verdict": "special cause: beyond_limits", "rule_set": "NHS making data count",
             "expected_false_alarms": 0.21}
            for number, week in enumerate(weeks)
        ],
        "interventions": [
            {"time": START + timedelta(weeks=10), "timeEnd": None, "title": "Huddle", "text": "relational: in time",
             "tags": "intervention"}
        ],
    }  # fmt: skip
    return Findings(**given | fields)


def survey_row(communicator: str, experiencer: str, dimension: str, **fields: Any) -> dict[str, Any]:
    """A row of `survey_beside_proxy`."""
    alone = dimension not in DIMENSIONS
    figures: dict[str, Any] = {"n": None, "estimate": None, "low": None, "high": None} if alone else SHOWN
    return {
        **of(communicator, experiencer, dimension=dimension),
        "origin": "" if alone else "explicit",
        "survey_status": "shown",
        "survey_mean": 3.5,
        "survey_low": 2.5,
        "survey_high": 4.4,
        "survey_n": 12,
        "proxy_status": "survey only" if alone else "shown",
        **{name: figures[name] for name in ("n", "estimate", "low", "high")},
        **fields,
    }


def survey(*rows: Row) -> Survey:
    calibrated = {("timeliness", "explicit"): Calibration(24, 8, 0.7, 0.4, 0.85, 1999)}
    return Survey("2026-spring", START + timedelta(weeks=12), rows, calibrated)


def effect(**fields: Any) -> Effect:
    given: dict[str, Any] = {
        "intervention": "Huddle",
        "tie": Tie("ed-nurse", "ward-nurse"),
        "dimension": "timeliness",
        "change": 0.12,
        "low": -0.02,
        "high": 0.26,
        "before": 10,
        "after": 11,
        "n_before": 90.0,
        "n_after": 110.0,
        "value_before": 0.7,
        "value_after": 0.82,
        "ties_compared": 0,
        "notes": ("exploratory",),
    }
    return Effect(**given | fields)


class Page(HTMLParser):
    """Tags with their attributes and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for found, attributes in self.tags if found == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
