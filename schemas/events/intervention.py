"""Intervention: a change that people try on purpose. Its `subject` is the intervention's id."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.envelope import Contract, Data, Envelope
from schemas.vocabulary import PLAIN, InterventionKind, RoleName

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PLAIN)]


class TieName(Contract):
    communicator_role: RoleName
    experiencer_role: RoleName


class InterventionStart(Data):
    """Registered before its effect is known.

    Change costs people something: `expected_loss` is what it is expected to cost while it is learned, on the 0..1 scale
    of the dimension it targets; `worry` says in words what those it touches fear to lose. Without `ties` it is about
    the whole process.
    """

    name: ShortText
    kind: InterventionKind
    ties: Annotated[tuple[TieName, ...], Field(max_length=64)] = ()
    hypothesis: ShortText
    expected_loss: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    worry: ShortText | None = None
    owner_role: RoleName


class InterventionEnd(Data):
    owner_role: RoleName | None = None


class InterventionStarted(Envelope):
    type: Literal["tieline.intervention.started.v1"]
    data: InterventionStart


class InterventionEnded(Envelope):
    type: Literal["tieline.intervention.ended.v1"]
    data: InterventionEnd
