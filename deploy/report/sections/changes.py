"""What changed, and since which intervention: control charts, and what followed interventions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from deploy.report.document import Block, Items, Picture, Section, Table, Text
from deploy.report.drawing.canvas import told_interventions
from deploy.report.drawing.control import Point, control_charts
from deploy.report.findings import Effect, Findings, Row, Tie, tie_of
from deploy.report.sections.work import shown_from
from deploy.report.words import NOTHING, count, day, dimension_name, interval, listed, share, signed
from schemas.vocabulary import DIMENSIONS

_A_PICTURE, _MOST = 8, 24


def section(found: Findings) -> Section:
    return Section(
        "What changed, and since which intervention",
        sections=(_interventions(found), _effects(found), _charts(found)),
        key="changes",
    )


def _interventions(found: Findings) -> Section:
    title = "Interventions"
    if not found.interventions:
        return Section(title, (Text("No intervention is registered for this process and time."),))
    rows = tuple(
        (
            str(number),
            row["title"],
            row["text"],
            day(row["time"]),
            day(row["timeEnd"]) if row["timeEnd"] else "still going on",
        )
        for number, row in enumerate(found.interventions, 1)
    )
    columns = ("number in pictures", "intervention", "kind and hypothesis", "from", "until")
    return Section(title, (Table("Registered interventions", columns, rows, headers=2),))


def _effects(found: Findings) -> Section:
    title = "What followed"
    if not found.interventions:
        return Section(title, (Text("Without a registered intervention there is nothing to look for."),))
    if found.effects is None:
        return Section(title, (Text("Effects were not computed for this report; the charts below show the periods."),))
    if not found.effects:
        return Section(title, (Text("Not enough data: too few periods before or after each intervention."),))
    columns = (
        "intervention", "communication of → experienced by", "dimension", "change (95 % interval)",
        "share before, n", "share after, n", "periods", "cautions",
    )  # fmt: skip
    explained = Text(
        "A change after an intervention need not be its effect; the last column says what weakens it. Made from all"
        " periods that may be shown, also those outside of the time of this report; the last three before the start"
        " are left out, because what was bad just then is often why people began."
    )
    rows = tuple(_effect_row(effect) for effect in found.effects if _once(effect.dimension, effect.tie))
    return Section(title, (explained, Table("Change of the share that went well", columns, rows, headers=2)))


def _once(dimension: str, tie: Tie) -> bool:
    """Frequency is one figure for both directions."""
    return dimension != "frequency" or tie.communicator <= tie.experiencer


def _effect_row(effect: Effect) -> tuple[str, ...]:
    beside = [f"beside {effect.ties_compared} untouched ties"] if effect.ties_compared else []
    change = f"{signed(effect.change)} ({signed(effect.low)} to {signed(effect.high)})"
    return (
        effect.intervention,
        effect.tie.name,
        dimension_name(effect.dimension),
        "not enough data" if effect.change is None else change,
        f"{share(effect.value_before)}, n {count(effect.n_before)}",
        f"{share(effect.value_after)}, n {count(effect.n_after)}",
        f"{effect.before} and {effect.after}",
        "; ".join([*beside, *effect.notes]) or NOTHING,
    )


def _charts(found: Findings) -> Section:
    title = "Control charts"
    series: dict[tuple[str, Tie], list[Row]] = defaultdict(list)
    for row in found.control:
        if _once(row["dimension"], tie_of(row)):
            series[row["dimension"], tie_of(row)].append(row)
    if not series:
        return Section(title, (Text("No complete period may be shown, so there is no chart."),))
    ordered = sorted(series.items(), key=lambda each: (DIMENSIONS.index(each[0][0]), each[0][1]))
    explained = Text(
        "Did something change, or is it common cause only? Points are complete periods; line: centre; dotted: limits"
        " (Laney p′, from the first 20 periods); squares: picked out by a rule. Most charts of ties that never changed"
        " would show no signal, some would: the table says how many.",
    )
    return Section(title, (explained, *_pictures(found, ordered), _verdicts(ordered)))


def _pictures(found: Findings, ordered: Sequence[tuple[tuple[str, Tie], list[Row]]]) -> Iterator[Block]:
    start, end = shown_from(found), found.asked.end
    for first in range(0, min(len(ordered), _MOST), _A_PICTURE):
        chosen = ordered[first : first + _A_PICTURE]
        told = [f"{_name(key)}: {_told(rows)}" for key, rows in chosen]
        yield Picture(
            control_charts(
                [(_short(key), [_point(row) for row in rows]) for key, rows in chosen], start, end, found.interventions
            ),
            "Share that went well, period by period." + told_interventions(found.interventions, start, end),
            f"Small control charts. {listed(told)}.",
        )
    if len(ordered) > _MOST:
        yield Items((f"The first {_MOST} charts in alphabetical order are drawn; the table has all.",))


def _name(key: tuple[str, Tie]) -> str:
    return f"{dimension_name(key[0])}, {key[1].name}"


def _short(key: tuple[str, Tie]) -> str:
    return f"{dimension_name(key[0])}, {key[1].short(18)}"


def _point(row: Row) -> Point:
    return Point(row["period_start"], row["value"], row["center"], row["lower"], row["upper"], bool(row["special"]))


def picked(rows: Sequence[Row]) -> list[Row]:
    """The points that a rule picked out."""
    return [row for row in rows if row["special"]]


def _told(rows: Sequence[Row]) -> str:
    special = [f"{day(row['period_start'])} {share(row['value'])}" for row in picked(rows)]
    marked = f"; picked out: {', '.join(special[:8])}{' and more' if len(special) > 8 else ''}" if special else ""
    values = [row["value"] for row in rows]
    return (
        f"{len(rows)} periods between {share(min(values))} and {share(max(values))},"
        f" {rows[-1]['verdict'].replace('_', ' ')}{marked}"
    )


def _verdicts(ordered: Sequence[tuple[tuple[str, Tie], list[Row]]]) -> Table:
    return Table(
        "What the charts say, and how often the rules would be wrong",
        (
            "communication of → experienced by", "dimension", "verdict", "rules", "periods", "n", "limits",
            "charts in control that would show a signal",
        ),
        tuple(
            (
                tie.name,
                dimension_name(dimension),
                rows[-1]["verdict"].replace("_", " "),
                rows[-1]["rule_set"],
                count(len(rows)),
                count(sum(int(row["n"]) for row in rows)),
                interval(rows[-1]["lower"], rows[-1]["upper"]),
                share(rows[-1]["expected_false_alarms"]),
            )
            for (dimension, tie), rows in ordered
        ),
    )  # fmt: skip
