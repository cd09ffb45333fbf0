"""Survey: the customer's own relational coordination survey, imported as role-to-role means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.envelope import Data, Envelope
from schemas.vocabulary import RoleName, SurveyDimension


class SurveyScore(Data):
    """The mean (1..5) of `n` raters of one role about another role, on one of the seven dimensions."""

    rater_role: RoleName
    rated_role: RoleName
    dimension: SurveyDimension
    mean: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]
    n: Annotated[int, Field(ge=1, lt=2**31)]


class SurveyScored(Envelope):
    type: Literal["tieline.survey.scored.v1"]
    data: SurveyScore
