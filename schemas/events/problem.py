"""Problem: something raised that needs solving, and the kinds of response it got."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Data, Envelope
from schemas.events.addressees import Addressees, PossibleAddressees
from schemas.vocabulary import Code, ResponseKind, RoleName, UtcTime


class ProblemRaising(Data):
    problem_id: Code
    role: RoleName
    to_roles: Addressees
    respond_by: UtcTime | None = None


class ProblemAct(Data):
    problem_id: Code
    role: RoleName


class ProblemResponse(ProblemAct):
    """One response. A `redirect` names in `to_roles` who should answer instead."""

    kind: ResponseKind
    to_roles: PossibleAddressees = ()


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
