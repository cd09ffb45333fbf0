"""What every endpoint works with, put together once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pydantic import SecretStr

from streams.gateway.breaker import Breaker, BreakerSettings
from streams.gateway.edge.edge import Edge
from streams.gateway.http.idempotency import Answers
from streams.gateway.intake import Intake, Log, Taken
from streams.gateway.limits import Bucket, Room
from streams.gateway.metrics import Metrics
from streams.gateway.sources import EventLimits, Limits, VerifyKind
from streams.gateway.tokens import Tokens

ROOM_BYTES, STRANGERS_BYTES = 64 * 1024 * 1024, 16 * 1024 * 1024
MAX_SENDERS = 1000


class Acknowledge(Protocol):
    """Writes the answer to a message; empty if there is none to give."""

    def __call__(self, message: bytes, taken: Taken | None, at: datetime) -> bytes:
        """`taken` is None for what cannot be taken now."""
        ...


class LogStatus(Protocol):
    """What the gateway tells of the log beside using it; `EventLog` has it."""

    @property
    def state(self) -> str:
        """`kafka`, `spool`, `full` or `stopped`."""
        ...

    @property
    def depth_bytes(self) -> int:
        """In the spool and not on Kafka yet."""
        ...

    @property
    def oldest_s(self) -> float:
        """Age of the oldest record that is not on Kafka yet."""
        ...

    @property
    def damaged_segments(self) -> int:
        """Files of the spool that were found damaged."""
        ...


class GatewayLog(Log, LogStatus, Protocol):
    """A log that can be used and looked at."""


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source as HTTP serves it.

    Attributes:
        secrets: all that are active; empty for `token`.
        media_types: of the bodies that it reads; one that starts with `+` is a suffix.
        resources: its senders put each resource below the endpoint.
        acknowledge: what the sender expects as the answer, where it is not ours to choose.
    """

    intake: Intake
    verify: VerifyKind
    secrets: Sequence[SecretStr]
    limits: Limits
    media_types: Sequence[str]
    bucket: Bucket
    resources: bool = False
    acknowledge: Acknowledge | None = None


class Senders:
    """Bucket and breaker of each token that posts events, made when it first does."""

    def __init__(self, limits: EventLimits, breaker: BreakerSettings, clock_s: Callable[[], float]) -> None:
        self._limits, self._breaker, self._clock_s = limits, breaker, clock_s
        self._known: dict[str, tuple[Bucket, Breaker]] = {}

    def of(self, token_id: str) -> tuple[Bucket, Breaker]:
        """Those of a token."""
        found = self._known.get(token_id)
        if found is None:
            if len(self._known) >= MAX_SENDERS:
                self._known.pop(next(iter(self._known)))
            bucket = Bucket(self._limits.per_s, self._limits.burst, self._clock_s)
            found = self._known[token_id] = bucket, Breaker(f"token {token_id}", self._clock_s, self._breaker)
        return found

    @property
    def any_open(self) -> bool:
        """Whether the breaker of a token is not closed."""
        return any(breaker.state != "closed" for _, breaker in self._known.values())


@dataclass(slots=True)
class Gateway:
    """Settings and parts of a running gateway.

    Attributes:
        sources: by name.
        room, strangers: for bodies of senders with a token, and of those whose signature is not checked yet.
        clock: the real time, aware; clock_s: one that only goes forward.
        say_no_tokens_at_s: not before then is it said again that there are none.
    """

    edge: Edge
    log: GatewayLog
    tokens: Tokens
    metrics: Metrics
    sources: Mapping[str, SourceEntry] = field(default_factory=dict)
    limits: EventLimits = field(default_factory=EventLimits)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    room: Room = field(default_factory=lambda: Room(ROOM_BYTES))
    strangers: Room = field(default_factory=lambda: Room(STRANGERS_BYTES))
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock_s: Callable[[], float] = time.monotonic
    say_no_tokens_at_s: float = field(init=False, default=0.0)
    senders: Senders = field(init=False)
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self.senders = Senders(self.limits, self.breaker, self.clock_s)
        self.answers = Answers(self.clock_s)
