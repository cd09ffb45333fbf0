"""What `facts` says of a few events, cut down to what one test asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from schemas.events import Event
from schemas.policy import PolicyBook
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from schemas.vocabulary import Rule
from streams.inference.facts import facts
from tests.builders import LONG_AFTER, policy_book

PENDING, NOTHING = "pending", "nothing"
HOUR_FOR_ALL = policy_book()
"""Everything is observed, due after 60 minutes and settled after 120."""

AnyRow = TypeVar("AnyRow", bound=Row)


def evidence(
    rule: Rule,
    *events: Event,
    of: Event | None = None,
    book: PolicyBook = HOUR_FOR_ALL,
    as_of: datetime = LONG_AFTER,
) -> list[EvidenceRow]:
    """The evidence of one rule, in the order of the episodes and their parts; only of the episode that `of` starts."""
    rows = facts(events, book, as_of).rows.values()
    found = [row for row in rows if isinstance(row, EvidenceRow) and row.rule == rule]
    return [row for row in found if of is None or row.episode_id == of.ref]


def only(rule: Rule, *events: Event, **how: Any) -> EvidenceRow:
    """The one piece of evidence of a rule; `how` as in `evidence`."""
    (found,) = evidence(rule, *events, **how)
    return found


def values(rule: Rule, *events: Event, **how: Any) -> list[float | str]:
    """The values of one rule; `PENDING` for what is not ripe."""
    return [PENDING if row.value is None else row.value for row in evidence(rule, *events, **how)]


def value(rule: Rule, *events: Event, **how: Any) -> float | str:
    """The one value of a rule; `NOTHING` where it yields no evidence."""
    found = values(rule, *events, **how) or [NOTHING]
    assert len(found) == 1
    return found[0]


def tie(row: EvidenceRow) -> tuple[str, str, str]:
    """Communicator, experiencer, dimension."""
    return row.communicator_role, row.experiencer_role, row.dimension


def handoff(
    *events: Event, handoff_id: str = "h1", book: PolicyBook = HOUR_FOR_ALL, as_of: datetime = LONG_AFTER
) -> HandoffRow:
    """The row of one explicit handoff."""
    (found,) = (row for row in _all(HandoffRow, events, book, as_of) if row.handoff_id == handoff_id)
    return found


def inferred(*events: Event, book: PolicyBook = HOUR_FOR_ALL, as_of: datetime = LONG_AFTER) -> list[HandoffRow]:
    """The rows of the inferred handoffs, in their order."""
    return [row for row in _all(HandoffRow, events, book, as_of) if row.origin == "inferred"]


def exchange(*events: Event, book: PolicyBook = HOUR_FOR_ALL, as_of: datetime = LONG_AFTER) -> ExchangeRow:
    """The row of the only exchange."""
    (found,) = _all(ExchangeRow, events, book, as_of)
    return found


def problem(*events: Event, book: PolicyBook = HOUR_FOR_ALL, as_of: datetime = LONG_AFTER) -> ProblemRow:
    """The row of the only problem."""
    (found,) = _all(ProblemRow, events, book, as_of)
    return found


def _all(kind: type[AnyRow], events: tuple[Event, ...], book: PolicyBook, as_of: datetime) -> list[AnyRow]:
    return [row for row in facts(events, book, as_of).rows.values() if isinstance(row, kind)]
