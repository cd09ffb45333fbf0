"""What one replay computes: under which run, with which policy, of what, and as of when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from schemas.vocabulary import EARLIEST, LATEST


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything but the events that the rows of a replay depend on.

    Attributes:
        as_of: aware UTC; what was known later is not seen.
        from_at, to_at: rows whose episode starts in there are kept, half-open; a work item is always read whole.
        process: only this one; empty: all.
        role: only rows that this role, under its normal name, has a part in; empty: all.
    """

    run: str
    policies: PolicyBook
    as_of: datetime
    from_at: datetime = EARLIEST
    to_at: datetime = LATEST
    process: str = ""
    role: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in the period."""
        return self.from_at <= at < self.to_at

    @property
    def bounded(self) -> bool:
        """Whether there is a period at all."""
        return self.from_at > EARLIEST or self.to_at < LATEST


def has_part(row: Row, role: str) -> bool:
    """Whether the role is on either side of what a row tells of."""
    if isinstance(row, EvidenceRow):
        return role in (row.communicator_role, row.experiencer_role)
    if isinstance(row, HandoffRow):
        return role in (row.from_role, row.to_role)
    return isinstance(row, ExchangeRow | ProblemRow) and (role == row.from_role or role in row.to_roles)
