"""Whom an event addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.vocabulary import RoleSet

MAX_ADDRESSEES = 32

Addressees = Annotated[RoleSet, Field(min_length=1, max_length=MAX_ADDRESSEES)]
PossibleAddressees = Annotated[RoleSet, Field(max_length=MAX_ADDRESSEES)]
