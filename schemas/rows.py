"""Derived rows as they travel on topics and stand in tables. Ids and content are deterministic.

Every row carries its run, the versions it was made with and the events it came from (`source#id`). `revision` only
orders writes of the same row. A tombstone is a row with `is_deleted = 1` whose other fields say nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.making import made
from schemas.vocabulary import Mark, Period

METHOD_VERSION = "1"
"""Changes when a rule gives another value for the same events; it is also the epoch in `revision`."""

_EPOCH_SHIFT, _EVENTS_SHIFT = 56, 42


def revision(events: int, as_of: datetime) -> int:
    """Orders the writes of one row: a fold of more events, or of the same events later, wins.

    Bits of an unsigned 64-bit integer, high to low: method epoch (8), events folded (14), `as_of` in milliseconds
    (42, until 2109). `as_of` stands for "deadlines passed": it never falls where those rise.
    """
    as_of_ms = max(0, int(as_of.timestamp() * 1000))
    return (int(METHOD_VERSION) << _EPOCH_SHIFT) | (min(events, 2**14 - 1) << _EVENTS_SHIFT) | min(as_of_ms, 2**42 - 1)


def period_start(at: datetime, period: Period) -> date:
    """First day (UTC) of the atom that an instant falls in. Weeks start on Monday."""
    return _first_day((at if at.tzinfo is UTC else at.astimezone(UTC)).date(), period)


@lru_cache(maxsize=4096)
def _first_day(day: date, period: Period) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1, month=day.month if period == "month" else (day.month - 1) // 3 * 3 + 1)


class Row(BaseModel):
    """What every derived row has. `key` identifies it within its work item and never changes.

    Of the fields that the sink looks at, those that name a place stand together, and so do those that name the row
    (sinks.clickhouse.row_cuts).
    """

    model_config = ConfigDict(frozen=True)
    table: ClassVar[str]

    event_ids: tuple[str, ...] = ()
    policy_version: str = ""
    method_version: str = METHOD_VERSION
    revision: int = 0
    is_deleted: Literal[0, 1] = 0
    run: str
    process: str
    site: str = ""
    work_item: str
    episode_id: str


UNSAID = frozenset({"method_version", "revision", "is_deleted"})
"""Fields of a row that inference leaves as they are by default."""


RowT = TypeVar("RowT", bound=Row)


def revised(row: RowT, revision: int) -> RowT:
    """`row.model_copy(update={"revision": revision})` in a third of the time."""
    return made(type(row), {**row.__dict__, "revision": revision}, {*row.model_fields_set, "revision"})


class HandoffRow(Row):
    """One handoff. `waited_s` is wall clock and null while unaccepted; nulls are *not known*, never zero.

    `accept_due_unpaused_at` is the due time had no pause counted; `completeness` is required elements present ÷
    required; `closed_at` is when the work item was closed, if it is; `left_before_due`: withdrawn, superseded or passed
    on while still in time.
    """

    table: ClassVar[str] = "handoffs"

    handoff_id: str = ""
    from_role: str = ""
    to_role: str = ""
    origin: Literal["explicit", "inferred", ""] = ""
    intent: Literal["transfer", "consult", ""] = ""
    urgency: str = ""
    offered_at: datetime
    needed_at: datetime | None = None
    accept_due_at: datetime | None = None
    accept_due_unpaused_at: datetime | None = None
    accepted_at: datetime | None = None
    declined_at: datetime | None = None
    returned_at: datetime | None = None
    withdrawn_at: datetime | None = None
    left_at: datetime | None = None
    closed_at: datetime | None = None
    state: Literal["offered", "accepted", "declined", "returned", "withdrawn", "superseded", "passed_on", ""] = ""
    waited_s: float | None = None
    worked: bool = False
    worked_at: datetime | None = None
    bounced: bool = False
    planned_return: bool = False
    left_before_due: bool = False
    skewed: bool = False
    completeness: float | None = None
    clarifications: int = 0
    read_backs: int = 0
    repaired_read_backs: int = 0
    own_corrections: int = 0
    reasons: tuple[str, ...] = ()


class ExchangeRow(Row):
    """A message that expects a reply, and the first reply by a human of an addressed role, or none."""

    table: ClassVar[str] = "exchanges"

    message_id: str = ""
    from_role: str = ""
    to_roles: tuple[str, ...] = ()
    sent_at: datetime
    reply_due_at: datetime | None = None
    replied_at: datetime | None = None
    replied_by_role: str = ""
    waited_s: float | None = None


class ProblemRow(Row):
    """Something raised that needs solving. Response counts are by kind, of addressed roles, until `respond_by`."""

    table: ClassVar[str] = "problems"

    problem_id: str = ""
    from_role: str = ""
    to_roles: tuple[str, ...] = ()
    raised_at: datetime
    respond_by: datetime | None = None
    first_response_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: int = 0
    constructive: int = 0
    neutral: int = 0
    blame: int = 0
    refuse: int = 0


class EvidenceRow(Row):
    """One observation in [0, 1] on one dimension of one tie. `value` is null until `ripe`.

    `part` numbers the observations that one rule takes from one episode (one for each addressed role). The tie of
    a `contact` is the unordered pair: its roles are in alphabetical order, and views show it on both.

    The details are said when it is ripe, like the value. Some become known later, and the row is said again:

    - `waited_s`: wall-clock seconds from the episode's start to its answer, or, where `answered` is false, to its end
      without one: then it is right-censored. Null while it is open, and for rules that wait for no answer.
    - `held_s`: of an accepted handoff, seconds from acceptance to the end of the tenure; null while it lasts.
    - `hour_of_week`: of the start, on the clock of the receiving role; 0 is the hour after Monday 00:00.
    - `marks`: reasons, sorted; see `schemas.vocabulary.MARK_MEANINGS`.
    """

    table: ClassVar[str] = "evidence"

    rule: str
    part: int = 0
    at: datetime
    communicator_role: str = ""
    experiencer_role: str = ""
    dimension: str = ""
    origin: Literal["explicit", "inferred", ""] = ""
    period: Period = "month"
    period_start: date
    communicator_actors: tuple[str, ...] = ()
    experiencer_actors: tuple[str, ...] = ()
    known_at: datetime | None = None
    ripe: bool = False
    value: float | None = None
    waited_s: float | None = None
    answered: bool = False
    held_s: float | None = None
    hour_of_week: int = 0
    marks: tuple[Mark, ...] = ()


class WorkItemRow(BaseModel):
    """The state of a work item, as it stands in `tieline.state` and, archived by the sink, in `work_items`.

    `state` is the compressed, encoded history (base64 in JSON), empty for an evicted item; `events` counts its distinct
    contents. An evicted item is a stub: its history is in the archive of events.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")
    table: ClassVar[str] = "work_items"

    run: str
    process: str
    work_item: str
    state: bytes = b""
    events: int = 0
    evicted: bool = False
    oversize: bool = False
    closed: bool = False
    last_arrival_at: datetime
    next_deadline_at: datetime | None = None
    revision: int = 0
