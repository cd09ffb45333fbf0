"""Where waiting and rework arose: answer curves, reasons, what came back, what left unworked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from deploy.report.document import Block, Picture, Section, Table, Text
from deploy.report.drawing.bars import named_bars
from deploy.report.drawing.curves import AnswerCurve, answer_curves
from deploy.report.findings import Findings, Row, Tie, tie_of
from deploy.report.words import NOTHING, count, dimension_name, duration, figure, listed, share, shortened
from schemas.vocabulary import MARK_MEANINGS

_TIMES_S = (900, 3600, 14_400, 86_400)
_PAIRS_A_PICTURE, _MOST_PAIRS = 6, 24
_NO_TIE = "No tie may be shown here: not observed, too few people, or not enough data. The table of ties says which."
CAUTION = (
    "Answer to handoff mixes communication with workload: a role may answer late because it had no hands free. In logs"
    " that record ownership only, it is the first work by the new owner."
)


def section(found: Findings) -> Section:
    return Section(
        "Where waiting and rework arose",
        (Text(CAUTION, note=True),),
        (_answers(found), _marks(found)),
        key="waiting",
    )


def answered_by(rows: Sequence[Row], within_s: float) -> Row | None:
    """A curve at a time, between its steps straight on; None: the curve ends before it says anything about it.

    Steps stand at the ends of bins, so the truth lies between two of them: the interval spans both.
    """
    within = [row for row in rows if row["waited_s"] <= within_s]
    beyond = [row for row in rows if row["waited_s"] > within_s]
    if not beyond:
        last = rows[-1]
        reaches = last["waited_s"] == within_s or last["at_risk"] == 0 or last["answered"] >= 1
        return last if reaches else None
    after = beyond[0]
    before = within[-1] if within else {**after, "waited_s": 0.0, "answered": 0.0, "low": 0.0}
    part = (within_s - before["waited_s"]) / (after["waited_s"] - before["waited_s"])
    share = before["answered"] + part * (after["answered"] - before["answered"])
    if part == 0:
        return before
    return {**after, "answered": share, "low": before["low"], "high": after["high"]}


def _answers(found: Findings) -> Section:
    title = "Answer to handoff"
    curves: dict[Tie, list[Row]] = defaultdict(list)
    for row in found.answers:
        curves[tie_of(row)].append(row)
    if not curves:
        return Section(title, (Text(_NO_TIE),))
    pairs: dict[tuple[str, str, str], list[Tie]] = defaultdict(list)
    for tie in curves:
        pairs[tie.pair].append(tie)
    explained = Text(
        "How many handoffs were answered within a given time, as the role that offered them experiences it. Those that"
        " still wait, or went unanswered, are counted too (Kaplan–Meier); shaded: 90 % interval."
    )
    blocks: list[Block] = [explained, *_pictures(sorted(pairs.items()), curves)]
    return Section(title, (*blocks, _table(curves)))


def _pictures(pairs: Sequence[tuple[tuple[str, str, str], list[Tie]]], curves: dict[Tie, list[Row]]) -> Iterator[Block]:
    for first in range(0, min(len(pairs), _MOST_PAIRS), _PAIRS_A_PICTURE):
        chosen = pairs[first : first + _PAIRS_A_PICTURE]
        drawn = [(_title(pair), [_curve(tie, curves[tie]) for tie in sorted(ties)]) for pair, ties in chosen]
        told = [f"{_who(tie)}: {_told(curves[tie])}" for _, ties in chosen for tie in sorted(ties)]
        yield Picture(
            answer_curves(drawn),
            "Answer to handoff. Each picture is of one pair of roles: a full line for one direction, a dashed one for"
            " the other, where both may be shown.",
            f"Curves of the share answered against the time waited. {listed(told)}.",
        )
    if len(pairs) > _MOST_PAIRS:
        yield Text(f"The first {_MOST_PAIRS} pairs of roles in alphabetical order are drawn; the table has all.")


def _title(pair: tuple[str, str, str]) -> str:
    first, second, origin = shortened(pair[0], 22), shortened(pair[1], 22), pair[2]
    return f"{first} and {second}{' (inferred)' if origin == 'inferred' else ''}"


def _who(tie: Tie) -> str:
    return f"{tie.communicator} answers {tie.experiencer}{' (inferred)' if tie.origin == 'inferred' else ''}"


def _curve(tie: Tie, rows: Sequence[Row]) -> AnswerCurve:
    steps = [(row["waited_s"], row["answered"], row["low"], row["high"]) for row in rows]
    return AnswerCurve(f"{shortened(tie.communicator, 24)} answers, n {count(rows[0]['n'])}", steps)


def _told(rows: Sequence[Row]) -> str:
    parts = [
        f"{share(step['answered'])} within {duration(within_s)}"
        for within_s in _TIMES_S
        if (step := answered_by(rows, within_s)) is not None
    ]
    return f"{', '.join(parts) or 'followed for too short a time to say'}, n {count(rows[0]['n'])}"


def _table(curves: dict[Tie, list[Row]]) -> Table:
    return Table(
        "Share of handoffs answered within a time, with 90 % interval, and n",
        ("who answers whom", *(f"within {duration(within_s)}" for within_s in _TIMES_S), "n"),
        tuple(
            (_who(tie), *(_within(rows, within_s) for within_s in _TIMES_S), count(rows[0]["n"]))
            for tie, rows in sorted(curves.items())
        ),
    )


def _within(rows: Sequence[Row], within_s: float) -> str:
    step = answered_by(rows, within_s)
    return NOTHING if step is None else figure(step["answered"], step["low"], step["high"], 0).split(", n")[0]


def _marks(found: Findings) -> Section:
    title = "What went otherwise than meant"
    if not found.marks:
        return Section(title, (Text(f"Nothing of the kind was recorded in a tie that may be shown. {_NO_TIE}"),))
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in found.marks:
        if row["dimension"] != "frequency" or row["communicator_role"] <= row["experiencer_role"]:
            sums[f"{dimension_name(row['dimension'])}: {_words(row['mark'])}"][0] += int(row["times"])
            sums[f"{dimension_name(row['dimension'])}: {_words(row['mark'])}"][1] += int(row["of_n"])
    bars = [(name, float(times), f"{times:,} of {of:,}") for name, (times, of) in sorted(sums.items())]
    picture = Picture(
        named_bars(bars, "times"),
        "What was recorded beside an observation, in all ties that may be shown: times, and observations of the ties in"
        " which it occurred.",
        f"Bars, one for each kind in alphabetical order. {listed([f'{name}: {told}' for name, _, told in bars])}.",
    )
    meanings = sorted({row["mark"] for row in found.marks})
    legend = Table(
        "What these words mean",
        ("word", "meaning"),
        tuple((_words(mark), MARK_MEANINGS.get(mark, "")) for mark in meanings),
        narrow=True,
    )
    return Section(title, (picture, _marks_table(found), legend))


def _marks_table(found: Findings) -> Table:
    return Table(
        "What went otherwise than meant, tie by tie",
        ("communication of → experienced by", "dimension", "what", "times", "of observations", "share"),
        tuple(
            (
                tie_of(row).name,
                dimension_name(row["dimension"]),
                _words(row["mark"]),
                count(row["times"]),
                count(row["of_n"]),
                share(row["times"] / row["of_n"]) if row["of_n"] else NOTHING,
            )
            for row in found.marks
        ),
        headers=1,
    )


def _words(mark: str) -> str:
    return mark.replace("_", " ")
