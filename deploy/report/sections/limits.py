"""What this report cannot say, and why."""

from __future__ import annotations

from collections import Counter

from deploy.report.document import Items, Section, Table, Text
from deploy.report.findings import Findings, tie_of
from deploy.report.sections.waiting import CAUTION
from deploy.report.words import count, dimension_name
from schemas.vocabulary import DIMENSIONS

_STATUSES = ("shown", "not observed", "hidden: too few people", "not enough data")


def section(found: Findings) -> Section:
    return Section(
        "What we cannot know from this", (_cautions(found),), (_statuses(found), _hidden(found)), key="limits"
    )


def _cautions(found: Findings) -> Items:
    told = "Some ties are inferred from ownership alone; they are never pooled with recorded handoffs."
    inferred = [told] if any(row["origin"] == "inferred" for row in found.figures) else []
    weak = (
        "Effects of interventions with fewer than 12 periods before or after are exploratory.",
        "Many ties are looked at at once: some differences and signals are chance.",
    )
    return Items(
        (
            "All figures are proxies made from events. They are aligned with the dimensions of relational coordination"
            " and are not relational coordination scores.",
            "Shared goals, shared knowledge and mutual respect leave no events. Only a survey tells about them.",
            "Nothing here is about a person, and nothing can be traced to one. Where few people stand behind a figure,"
            " it is hidden.",
            CAUTION,
            *inferred,
            "Handoffs that were withdrawn or passed on while still in time are neither timely nor late: no figure holds"
            " them, and this report does not show how many there were.",
            "What people settle by voice or at the bedside leaves no event. More messages are not better.",
            "Intervals are about these people in this time, not about how a role is in general.",
            *weak,
        )
    )


def _statuses(found: Findings) -> Section:
    title = "How much can be shown"
    if not found.figures:
        return Section(title, (Text("No tie was seen in this time: there is nothing to show or to hide."),))
    counts = Counter((row["dimension"], row["status"]) for row in found.figures)
    rows = tuple(
        (dimension_name(dimension), *(count(counts[dimension, status]) for status in _STATUSES))
        for dimension in DIMENSIONS
    )
    table = Table(
        "Ties (each direction) by what can be said of them. None of these answers is a zero.",
        ("dimension", *_STATUSES),
        rows,
        narrow=True,
    )
    return Section(title, (table,))


def _hidden(found: Findings) -> Section:
    title = "Work that no figure holds"
    rows = tuple(
        (tie_of(row).name, dimension_name(row["dimension"]), f"{row['hidden_share']:.0%}".replace("%", " %"))
        for row in found.figures
        if row["hidden_share"]
    )
    if not rows:
        return Section(title, (Text("Nothing, to the nearest tenth, in any tie that was observed."),))
    explained = Text(
        "Periods in which too few people or work items stand behind a tie enter no figure. Their share of the work,"
        " rounded to 10 %:"
    )
    columns = ("communication of → experienced by", "dimension", "share of work items")
    return Section(title, (explained, Table("Share of work in periods that may not be shown", columns, rows)))
