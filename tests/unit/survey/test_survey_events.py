"""Lines of a survey as events: the same whoever imports them when, and never of too few raters."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.decoding import decode
from schemas.policy import InForce
from streams.gateway.survey_import import SurveyResults, SurveyRow, SurveyUnusable, survey_results
from tests.builders import policy_book

TAKEN_AT = datetime(2026, 3, 1, tzinfo=UTC)


def row(line: int = 2, rater: str = "nurse", rated: str = "ward", n: int = 9, mean: float = 4.0) -> SurveyRow:
    return SurveyRow(line, rater, rated, "timeliness", mean, n)


def in_force(**part: object) -> InForce:
    return policy_book(**part).newest("p")


def results(*rows: SurveyRow, policy: InForce | None = None, survey: str = "s1") -> SurveyResults:
    return survey_results(rows, process="p", survey=survey, at=TAKEN_AT, policy=policy or in_force())


def test_an_event_is_valid_and_of_the_survey() -> None:
    (event,) = results(row()).events
    assert decode(event.canonical()) == event
    assert (event.subject, event.process, event.time) == ("s1", "p", TAKEN_AT)


def test_an_id_says_what_it_is_about_and_not_what_was_found() -> None:
    first, again = results(row()).events[0], results(row(7, mean=2.0, n=30)).events[0]
    assert first.id == again.id
    others = [
        row(rater="porter"),
        row(rated="porter"),
        row()._replace(site="north"),
        row()._replace(dimension="accuracy"),
    ]
    ids = {first.id, *(results(other).events[0].id for other in others), results(row(), survey="s2").events[0].id}
    assert len(ids) == 6


def test_a_name_with_a_line_break_in_another_place_is_another_id() -> None:
    ids = {results(row(rater=a, rated=b)).events[0].id for a, b in (("a b", "c"), ("a", "b c"))}
    assert len(ids) == 2


@pytest.mark.parametrize(("least", "n", "kept"), [(5, 4, 0), (5, 5, 1), (3, 3, 1), (3, 2, 0), (8, 7, 0)])
def test_a_mean_of_too_few_raters_is_refused(least: int, n: int, kept: int) -> None:
    found = results(row(n=n), policy=in_force(publish={"min_actors": least}))
    assert len(found.events) == kept
    assert found.refused_lines == ((2,) if not kept else ())


def test_roles_get_the_names_that_ties_have() -> None:
    found = results(row(rater="RN"), policy=in_force(aliases={"RN": "nurse"}, roles=["nurse"]))
    assert found.events[0].data.rater_role == "nurse"
    assert (found.renamed, found.unlisted) == (1, 1)


def test_two_lines_about_the_same_are_refused_also_under_another_name() -> None:
    with pytest.raises(SurveyUnusable, match="lines 2 and 3"):
        results(row(), row(3, rater="RN"), policy=in_force(aliases={"RN": "nurse"}))
