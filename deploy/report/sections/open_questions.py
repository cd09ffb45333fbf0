"""Questions to the people who do the work, each with the figures that give rise to it. Never a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from deploy.report.document import Items, Section, Text
from deploy.report.findings import Findings, Row, Tie, tie_of
from deploy.report.sections.changes import picked
from deploy.report.words import count, day, dimension_name, figure, listed
from schemas.vocabulary import CONTENT_REASONS, DIMENSIONS

_MOST = 12
"""Of one kind, in alphabetical order."""


def section(found: Findings) -> Section:
    introduction = Text(
        "The figures do not know why. These questions come from what is shown above, in alphabetical order of the"
        " roles, not by weight; leave out what does not help, and add your own."
    )
    groups = (
        ("What each side sees", _directions(found)),
        ("Waiting", _waiting(found)),
        ("Rework", _rework(found)),
        ("Change", _change(found)),
        ("What we do not see", _unseen(found)),
    )
    asked = tuple(Section(title, (Items(tuple(questions)),)) for title, questions in groups if questions)
    return Section("Open questions", (introduction,), asked, key="questions")


def _limited(questions: Iterator[str]) -> list[str]:
    every = list(questions)
    left = [f"(and {len(every) - _MOST} more of this kind, in the tables)"] if len(every) > _MOST else []
    return every[:_MOST] + left


def _directions(found: Findings) -> list[str]:
    return _limited(_differing(found.figures))


def _differing(figures: Sequence[Row]) -> Iterator[str]:
    """Pairs whose two directions have intervals that do not meet."""
    by_tie = {(tie_of(row), row["dimension"]): row for row in figures if row["estimate"] is not None}
    for (tie, dimension), there in sorted(by_tie.items(), key=lambda each: (each[0][0], DIMENSIONS.index(each[0][1]))):
        back = by_tie.get((Tie(tie.experiencer, tie.communicator, tie.origin), dimension))
        if back is None or tie.communicator >= tie.experiencer or dimension == "frequency":
            continue
        if there["high"] < back["low"] or back["high"] < there["low"]:
            yield (
                f"{dimension_name(dimension).capitalize()}: {tie.name} is {_figure(there)}, and the other way it is"
                f" {_figure(back)}. What does each side see that the other does not?"
            )


def _figure(row: Row) -> str:
    return figure(row["estimate"], row["low"], row["high"], row["n"])


def _waiting(found: Findings) -> list[str]:
    questions = []
    rows = [row for row in found.flow if row["n"]]
    handoffs = sum(int(row["n"]) for row in rows)
    if handoffs:
        waited = sum(row["waited_h"] * int(row["n"]) for row in rows) / handoffs
        held = sum(row["held_h"] * int(row["n"]) for row in rows) / handoffs
        questions.append(
            f"From offer to the end of the receiver's turn, a handoff waited {waited:.1f} hours on average and was"
            f" accepted for {held:.1f} (n {count(handoffs)}). What was it waiting for?"
        )
    late: dict[Tie, list[Row]] = defaultdict(list)
    for row in found.marks:
        if row["mark"] in _LATE and row["dimension"] == "timeliness":
            late[tie_of(row)].append(row)
    return questions + _limited(
        f"In {tie.name}, {_how_many(rows, _LATE)}. What was going on on both sides at such times?"
        for tie, rows in sorted(late.items())
    )


_LATE = {"late": "were answered after due", "unanswered": "were not answered at all"}
_BACK = {"bounced": "were given back to where they came from", "left_unworked": "left before anybody worked on them"}


def _how_many(rows: Sequence[Row], words: Mapping[str, str]) -> str:
    """`12 of 80 were answered after due, 3 not at all`."""
    parts = [f"{count(row['times'])} {words[row['mark']]}" for row in rows]
    of = f" of {count(max(int(row['of_n']) for row in rows))}"
    first, *more = parts
    number, _, rest = first.partition(" ")
    return ", ".join([f"{number}{of} {rest}", *more])


def _rework(found: Findings) -> list[str]:
    named: dict[Tie, list[Row]] = defaultdict(list)
    back: dict[Tie, list[Row]] = defaultdict(list)
    for row in found.marks:
        if row["mark"] in CONTENT_REASONS and row["dimension"] == "accuracy":
            named[tie_of(row)].append(row)
        if row["mark"] in _BACK:
            back[tie_of(row)].append(row)
    content = (
        f"In {tie.name}, receivers named {_reasons(rows)}. What would have had to be known beforehand, and who knew it?"
        for tie, rows in sorted(named.items())
    )
    returned = (
        f"In {tie.name}, {_how_many(rows, _BACK)}. Where would they have been in the right place at once?"
        for tie, rows in sorted(back.items())
    )
    return _limited(content) + _limited(returned)


def _reasons(rows: Sequence[Row]) -> str:
    return listed([f"{row['mark'].replace('_', ' ')} {count(row['times'])} times" for row in rows]).replace(
        ";", ","
    ) + (f" in {count(max(int(row['of_n']) for row in rows))} observations")


def _change(found: Findings) -> list[str]:
    series: dict[tuple[str, Tie], list[Row]] = defaultdict(list)
    for row in found.control:
        if row["dimension"] == "frequency" and row["communicator_role"] > row["experiencer_role"]:
            continue
        series[row["dimension"], tie_of(row)].append(row)
    charts = (
        f"{dimension_name(dimension).capitalize()} of {tie.name} stood out in {_periods(picked(rows))}. What was"
        " different then? Would somebody who was there have noticed?"
        for (dimension, tie), rows in sorted(series.items(), key=lambda each: (each[0][1], each[0][0]))
        if picked(rows)
    )
    interventions = (
        f"“{row['title']}” began on {day(row['time'])}. What did people on both sides notice since that no event shows?"
        for row in found.interventions
    )
    return _limited(charts) + _limited(interventions)


def _periods(rows: Sequence[Row]) -> str:
    first, last = day(rows[0]["period_start"]), day(rows[-1]["period_start"])
    if len(rows) == 1:
        return f"the period from {first}"
    return f"{len(rows)} periods between those from {first} and from {last}"


def _unseen(found: Findings) -> list[str]:
    hidden = {tie_of(row).pair for row in found.figures if row["status"].startswith("hidden")}
    questions = []
    if hidden:
        questions.append(
            f"Of {count(len(hidden))} pairs of roles something is hidden, because few people do this work. How would"
            " they like to talk about it themselves?"
        )
    unseen = [
        dimension_name(dimension)
        for dimension in DIMENSIONS
        if found.figures and all(r["status"] == "not observed" for r in found.figures if r["dimension"] == dimension)
    ]
    if unseen:
        questions.append(f"No events tell about {' and '.join(unseen)}. How do you know how it goes?")
    questions.append("What matters in this work that leaves no trace in any system?")
    return questions
