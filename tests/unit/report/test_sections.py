"""What the sections say, and what they leave unsaid."""

from __future__ import annotations

import pytest

from deploy.report.document import Picture, Section, Table
from deploy.report.findings import Findings
from deploy.report.report import part
from deploy.report.sections import changes, limits, open_questions, survey, ties, waiting
from tests.unit.report.rows import WITHOUT, asked, effect, figures, findings, of, survey_row
from tests.unit.report.rows import survey as built


def texts(section: Section) -> str:
    """All that is written in a section."""
    said = [section.title]
    for block in section.blocks:
        if block.kind == "text":
            said.append(block.text)
        elif block.kind == "items":
            said += block.items
        elif block.kind == "table":
            said += [block.caption, *(cell for row in block.rows for cell in row)]
        else:
            said += [block.caption, block.alternative]
    return "\n".join([*said, *map(texts, section.sections)])


def tables(section: Section) -> list[Table]:
    own = [block for block in section.blocks if isinstance(block, Table)]
    return own + [table for inner in section.sections for table in tables(inner)]


def pictures(section: Section) -> list[Picture]:
    own = [block for block in section.blocks if isinstance(block, Picture)]
    return own + [picture for inner in section.sections for picture in pictures(inner)]


def test_both_directions_of_a_pair_stand_side_by_side() -> None:
    (table,) = tables(ties.section(findings()))
    row = next(row for row in table.rows if row[:3] == ("ed-nurse", "ward-nurse", "timeliness"))
    assert row[3:] == ("0.80 (0.70 to 0.88), n 120, 2 pending", "0.50 (0.40 to 0.60), n 120, 2 pending")


def test_ties_are_in_alphabetical_order_whatever_their_figures() -> None:
    given = [*figures(("c", "a"), estimate=0.9), *figures(("a", "b"), estimate=0.1), *figures(("b", "c"), estimate=0.5)]
    drawn = next(picture for picture in pictures(ties.section(findings(figures=given))))
    assert drawn.alternative.index("a → b") < drawn.alternative.index("b → c") < drawn.alternative.index("c → a")


def test_a_dimension_without_declared_sources_is_not_drawn() -> None:
    unseen = figures(("a", "b"), **WITHOUT, status="not observed")
    assert not pictures(ties.section(findings(figures=unseen)))
    assert "Not observed: the policy names no source" in texts(ties.section(findings(figures=unseen)))


def test_interventions_are_in_the_words_of_every_picture_over_time() -> None:
    whole = part(findings())
    over_time = [
        picture for section in whole.sections for picture in pictures(section) if "period" in picture.alternative
    ]
    assert len(over_time) >= 3
    assert all("1: Huddle (from 16 Mar 2026)" in picture.caption for picture in over_time)


def test_a_curve_says_nothing_about_times_that_it_does_not_reach() -> None:
    steps = [of("a", "b", waited_s=at, answered=0.3, low=0.2, high=0.4, at_risk=5, n=9) for at in (0.0, 3700.0)]
    assert waiting.answered_by(steps, 3600) is not None
    assert waiting.answered_by(steps, 14_400) is None
    assert waiting.answered_by([{**steps[0], "at_risk": 0}], 14_400) is not None


def test_between_two_steps_a_curve_goes_straight_on_and_the_interval_spans_both() -> None:
    first = of("a", "b", waited_s=3000.0, answered=0.2, low=0.1, high=0.3, at_risk=9, n=9)
    then = {**first, "waited_s": 4000.0, "answered": 0.7, "low": 0.5, "high": 0.8}
    found = waiting.answered_by([first, then], 3600)
    assert found is not None
    assert (found["answered"], found["low"], found["high"]) == (pytest.approx(0.5), 0.1, 0.8)


def test_effects_have_an_interval_and_what_weakens_them() -> None:
    (table,) = [
        table for table in tables(changes.section(findings(effects=(effect(),)))) if "Change of" in table.caption
    ]
    assert table.rows[0][3:] == (
        "+0.12 (−0.02 to +0.26)", "0.70, n 90", "0.82, n 110", "10 and 11", "exploratory"
    )  # fmt: skip


def test_an_effect_that_cannot_be_told_has_no_figure() -> None:
    nothing = effect(change=None, low=None, high=None)
    (table,) = [each for each in tables(changes.section(findings(effects=(nothing,)))) if "Change of" in each.caption]
    assert table.rows[0][3] == "not enough data"


def test_effects_that_were_not_computed_are_not_called_none() -> None:
    assert "were not computed" in texts(changes.section(findings()))
    assert "Not enough data" in texts(changes.section(findings(effects=())))


def test_relationship_dimensions_stand_without_a_proxy() -> None:
    row = survey_row("ed-nurse", "ward-nurse", "mutual_respect")
    table = tables(survey.section(findings(surveys=(built(row),))))[-1]
    assert table.rows == (
        ("ed-nurse → ward-nurse", "mutual respect", "3.50 (2.50 to 4.40), n 12", "from the survey alone"),
    )


def test_a_hidden_survey_result_is_neither_written_nor_drawn() -> None:
    hidden = {"survey_status": "hidden: too few people", "survey_mean": None, "survey_n": None}
    row = survey_row("ed-nurse", "ward-nurse", "timeliness", survey_low=None, survey_high=None, **hidden)
    section = survey.section(findings(surveys=(built(row),)))
    assert not pictures(section)
    assert "hidden: too few people" in texts(section)


def test_a_report_without_a_survey_says_that_nobody_has_looked() -> None:
    assert "has not been looked at" in texts(survey.section(findings()))


def test_limits_count_every_answer_and_name_what_no_figure_holds() -> None:
    given = [*figures(("a", "b")), *figures(("b", "a"), hidden_share=0.3)]
    found = texts(limits.section(findings(figures=given)))
    assert "30 %" in found
    assert "not relational coordination scores" in found
    assert "mixes communication with workload" in found


def test_questions_are_questions_with_their_figures() -> None:
    asked_questions = [
        line
        for section in open_questions.section(findings()).sections
        for block in section.blocks
        if block.kind == "items"
        for line in block.items
    ]
    assert len(asked_questions) >= 7
    assert all(question.endswith("?") for question in asked_questions)
    said = "\n".join(asked_questions)
    assert "ed-nurse → ward-nurse is 0.80 (0.70 to 0.88), n 120" in said
    assert "30 of 120 were answered after due" in said
    assert "missing 12 times in 120 observations" in said


def test_nothing_is_asked_about_what_is_not_shown() -> None:
    found = Findings(asked(), figures=figures(("a", "b"), **WITHOUT, status="hidden: too few people"))
    said = texts(open_questions.section(found))
    assert "→" not in said
    assert "something is hidden" in said


def test_directions_that_may_be_the_same_raise_no_question() -> None:
    alike = findings(figures=[*figures(("a", "b")), *figures(("b", "a"), estimate=0.75, low=0.65, high=0.85)])
    assert "What each side sees" not in texts(open_questions.section(alike))
