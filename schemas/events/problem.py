"""Problem: something raised that needs solving, and the kinds of response it got."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.envelope import Data, Envelope
from schemas.vocabulary import Code, ResponseKind, RoleName, RoleSet, UtcTime


class ProblemRaising(Data):
    problem_id: Code
    role: RoleName
    to_roles: Annotated[RoleSet, Field(min_length=1, max_length=32)]
    respond_by: UtcTime | None = None


class ProblemAct(Data):
    problem_id: Code
    role: RoleName


class ProblemResponse(ProblemAct):
    """One response. A `redirect` names in `to_roles` who should answer instead."""

    kind: ResponseKind
    to_roles: Annotated[RoleSet, Field(max_length=32)] = ()


class ProblemRaised(Envelope):
    type: Literal["tieline.problem.raised.v1"]
    data: ProblemRaising


class ProblemResponded(Envelope):
    type: Literal["tieline.problem.responded.v1"]
    data: ProblemResponse


class ProblemResolved(Envelope):
    type: Literal["tieline.problem.resolved.v1"]
    data: ProblemAct


class ProblemReopened(Envelope):
    type: Literal["tieline.problem.reopened.v1"]
    data: ProblemAct
