"""Every tie in both directions: the figure, its interval, its n; or why there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from deploy.report.document import Block, Picture, Section, Table, Text
from deploy.report.drawing.dots import Dot, dots
from deploy.report.findings import Findings, Row, Tie, tie_of
from deploy.report.words import NOTHING, count, dimension_name, figure, listed
from schemas.vocabulary import DIMENSIONS

_A_PICTURE = 34
_QUESTIONS = {
    "frequency": "Share of handoffs with enough messages about them, and not too many. One figure for both directions.",
    "timeliness": "Share of what was asked or offered that was answered in time, as the other role experiences it.",
    "accuracy": "Share of what was handed over or said that was right, as the other role found it.",
    "problem_solving": "Share of problems and handoffs that were moved forward, as the other role experiences it.",
}


def section(found: Findings) -> Section:
    introduction = Text(
        "A tie is one role's communication as another role experiences it; it has two directions, and they may differ."
        " Rows are in alphabetical order; nothing is ranked. A figure is the share of observations that went well: a"
        " dot, with a line for its 90 % interval. Where there is no figure, the reason stands instead."
    )
    if not found.figures:
        return Section("Ties, in both directions", (Text("No tie was seen in this time."),), key="ties")
    drawn = tuple(_dimension(found.figures, dimension) for dimension in DIMENSIONS)
    return Section("Ties, in both directions", (introduction,), (*drawn, _both_directions(found)), key="ties")


def _dimension(figures: Sequence[Row], dimension: str) -> Section:
    rows = sorted((row for row in figures if row["dimension"] == dimension), key=tie_of)
    return Section(dimension_name(dimension).capitalize(), (Text(_QUESTIONS[dimension]), *_pictures(rows, dimension)))


def _pictures(rows: Sequence[Row], dimension: str) -> Iterator[Block]:
    if all(row["status"] == "not observed" for row in rows):
        yield Text("Not observed: the policy names no source that records both outcomes.")
        return
    for first in range(0, len(rows), _A_PICTURE):
        chosen = rows[first : first + _A_PICTURE]
        told = [f"{tie_of(row).name}: {_told(row)}" for row in chosen]
        yield Picture(
            dots([_dot(row) for row in chosen], "share that went well"),
            f"{dimension_name(dimension).capitalize()}: communication of → experienced by.",
            f"Dots with intervals, one line for each tie in alphabetical order. {listed(told)}.",
        )


def _dot(row: Row) -> Dot:
    return Dot(
        tie_of(row).short(24), row["estimate"], row["low"], row["high"], f"n {count(row['n'])}", instead=row["status"]
    )


def _told(row: Row) -> str:
    said = figure(row["estimate"], row["low"], row["high"], row["n"])
    return row["status"] if said == NOTHING else said


def _both_directions(found: Findings) -> Section:
    """One table: each pair of roles, each dimension, both directions side by side."""
    cells: dict[tuple[tuple[str, str, str], str], dict[Tie, Row]] = defaultdict(dict)
    for row in found.figures:
        tie = tie_of(row)
        cells[tie.pair, row["dimension"]][tie] = row
    rows = [
        _side_by_side(pair, dimension, cells[pair, dimension])
        for pair in sorted({pair for pair, _ in cells})
        for dimension in DIMENSIONS
        if (pair, dimension) in cells
    ]
    return Section(
        "Both directions side by side",
        (
            Table(
                "Each pair of roles: share that went well, 90 % interval, n (and how many are still pending)",
                ("one role", "other role", "dimension", "one → other", "other → one"),
                tuple(rows),
                headers=2,
            ),
        ),
    )


def _side_by_side(pair: tuple[str, str, str], dimension: str, found: dict[Tie, Row]) -> tuple[str, ...]:
    first, second, origin = pair
    there, back = Tie(first, second, origin), Tie(second, first, origin)
    name = dimension_name(dimension) + (" (inferred)" if origin == "inferred" else "")
    return (
        first,
        second,
        name,
        _cell(found.get(there)),
        "the same role" if there == back else _cell(found.get(back)),
    )


def _cell(row: Row | None) -> str:
    if row is None:
        return "not observed"
    pending = f", {count(row['pending'])} pending" if row["pending"] else ""
    return _told(row) + pending
