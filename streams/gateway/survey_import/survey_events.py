"""Lines of a survey as events `survey.scored`: the same file gives the same events, however often it is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from schemas.events.survey import SurveyScore, SurveyScored
from schemas.policy import InForce
from streams.gateway.survey_import.survey_file import SurveyRow, SurveyUnusable

SOURCE = "/tieline/survey-import"
LEAST_RATERS = 3
"""Whatever a policy says."""


class SurveyResults(NamedTuple):
    """What becomes of a file.

    Attributes:
        events: in the order of the lines.
        refused_lines: of means that so few people stand behind that they may not be shown; nothing of them is sent.
        least_raters: the minimum that they are held to.
        renamed: roles that the policy has under another name.
        unlisted: roles that the policy of the process does not list; 0 where it lists none.
    """

    events: tuple[SurveyScored, ...]
    refused_lines: tuple[int, ...]
    least_raters: int
    renamed: int
    unlisted: int


def survey_results(
    rows: Sequence[SurveyRow], *, process: str, survey: str, at: datetime, policy: InForce
) -> SurveyResults:
    """The events of a survey, its roles under their normal names.

    Args:
        at: when it was taken, aware.
        policy: of the process, the newest.
    Raises: SurveyUnusable: two lines are about the same thing. ValidationError: process or survey are no such names.
    """
    least = max(LEAST_RATERS, policy.process.publish.min_actors)
    named = [_normal(row, policy) for row in rows]
    _refuse_repeats(named)
    given = {role for row in rows for role in (row.rater_role, row.rated_role)}
    roles = {role for row in named for role in (row.rater_role, row.rated_role)}
    return SurveyResults(
        tuple(_event(row, process, survey, at) for row in named if row.n >= least),
        tuple(row.line for row in named if row.n < least),
        least,
        sum(policy.role(role) != role for role in given),
        len(roles - policy.process.roles) if policy.process.roles else 0,
    )


def _normal(row: SurveyRow, policy: InForce) -> SurveyRow:
    return row._replace(rater_role=policy.role(row.rater_role), rated_role=policy.role(row.rated_role))


def _about(row: SurveyRow) -> tuple[str, str, str, str]:
    return (row.site, row.rater_role, row.rated_role, row.dimension)


def _refuse_repeats(rows: Iterable[SurveyRow]) -> None:
    first: dict[tuple[str, str, str, str], int] = {}
    problems = [
        f"lines {first[_about(row)]} and {row.line} are about the same roles and dimension (names of the policy's"
        " aliases count as one)"
        for row in rows
        if first.setdefault(_about(row), row.line) != row.line
    ]
    if problems:
        raise SurveyUnusable("\n".join(problems[:20]))


def _event(row: SurveyRow, process: str, survey: str, at: datetime) -> SurveyScored:
    """Its id says what it is about, never what was found: a mean that is changed afterwards is another content of one
    event, and not a second one beside it."""
    about = "\n".join((process, survey, *_about(row)))
    return SurveyScored(
        id=sha256(about.encode()).hexdigest(),
        source=SOURCE,
        type="tieline.survey.scored.v1",
        time=at,
        subject=survey,
        process=process,
        site=row.site,
        data=SurveyScore(
            rater_role=row.rater_role, rated_role=row.rated_role, dimension=row.dimension, mean=row.mean, n=row.n
        ),
    )
