"""Signals: something worth acting on now. What was said, when, and whether it is still so.

A signal names roles and work items, never persons. Its id follows from what it is about, so that whoever says it says
the same id, however often and after whatever crash.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Literal

from schemas.envelope import Contract
from schemas.rows import METHOD_VERSION

SignalKind = Literal["handoff_overdue", "problem_unanswered", "tie_shifted", "data_quality"]
KINDS: tuple[SignalKind, ...] = ("handoff_overdue", "problem_unanswered", "tie_shifted", "data_quality")
EPISODE_KINDS: frozenset[SignalKind] = frozenset({"handoff_overdue", "problem_unanswered"})
QualityCheck = Literal["", "dead_letters", "skewed_handoffs", "unknown_actors", "source_quiet"]
SignalState = Literal["opened", "closed"]

Subject = tuple[str, ...]
"""What two findings have in common that are about the same thing."""


class Finding(Contract):
    """Something that is so now.

    Attributes:
        communicator_role, experiencer_role: the tie. Of a handoff that waits, the receiver and the offerer; of a
            problem that only one role was asked about, that role and the raiser.
        to_roles: who is asked to answer.
        check: of `data_quality`, what was looked at; `source`: the source it is about, if it is about one.
        at: when it happened: what was due was due then, the period that shifted began, the source was last heard of.
        value, threshold, n: of `data_quality`: a share, the share that is still in order, and of how many. A tie that
            has shifted has no figure here: its chart has, with its limits.
        event_ids: what it follows from; for auditors, never sent to webhooks.
    """

    kind: SignalKind
    process: str = ""
    site: str = ""
    work_item: str = ""
    episode_id: str = ""
    communicator_role: str = ""
    experiencer_role: str = ""
    to_roles: tuple[str, ...] = ()
    dimension: str = ""
    origin: str = ""
    check: QualityCheck = ""
    source: str = ""
    urgency: str = ""
    at: datetime
    value: float | None = None
    threshold: float | None = None
    n: int = 0
    event_ids: tuple[str, ...] = ()
    policy_version: str = ""
    method_version: str = METHOD_VERSION

    @property
    def subject(self) -> Subject:
        """While a signal is open, a finding with the same subject is the same signal."""
        if self.kind in EPISODE_KINDS:
            return (self.kind, self.process, self.work_item, self.episode_id)
        if self.kind == "tie_shifted":
            tie = (self.process, self.communicator_role, self.experiencer_role, self.dimension, self.origin)
            return (self.kind, *tie, f"{self.at.astimezone(UTC):%Y-%m-%d}")
        return (self.kind, self.process, self.check, self.source)

    def signal_id(self, run: str) -> str:
        """32 hex digits. A check of data quality that fails again on another day (UTC) is another signal."""
        parts = (run, *self.subject, *((f"{self.at.astimezone(UTC):%Y-%m-%d}",) if self.kind == "data_quality" else ()))
        # Lengths in front: no two lists of parts have one text.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Signal(Finding):
    """A finding that was said; a record in `tieline.signals` and a row of `signals`. The newest `said_at` counts.

    Attributes:
        signal: its id.
        urgent: webhooks do not wait for the end of quiet hours.
        opened_at: when it was first said to be so.
        said_at: when this record was said; later than every earlier record of the signal.
        closed_at: when it ended; null while it is open.
    """

    run: str
    signal: str
    state: SignalState
    urgent: bool = False
    opened_at: datetime
    said_at: datetime
    closed_at: datetime | None = None


DeliveryState = Literal["since", "waiting", "delivered", "dead", "gone"]


class Delivery(Contract):
    """How far a message to a webhook has come; a row of `signal_deliveries`. The one with the most attempts counts.

    Attributes:
        webhook: its name in the settings.
        message: the id that is sent with every attempt; of the marks `since` and `gone` something that names them.
        state: `since`: signals from `at` on are for this webhook. `waiting`: tried, and to be tried again at `next_at`.
            `delivered`. `dead`: given up, with a dead letter. `gone`: the receiver wants no more.
        first_at: of the first attempt; null before it.
        http_status: of the last answer; 0: there was none.
    """

    webhook: str
    message: str
    state: DeliveryState
    attempts: int = 0
    first_at: datetime | None = None
    next_at: datetime | None = None
    http_status: int = 0
    at: datetime
