"""How much is kept, where, and for how long a broker is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLogSettings:
    """Settings of an `EventLog`.

    Attributes:
        folder: of the spool, one process at a time; made if need be, for this user only.
        max_bytes: of all files of the spool together; what does not fit is refused, not dropped.
        segment_bytes: a file of the spool is not appended to beyond this; whole files are deleted.
        record_bytes: of key and value; a larger record is invalid. Kafka's limit for `tieline.events` is 1 MiB with
            the frame around it.
        pending_bytes: accepted and neither on Kafka nor on disk yet; beyond it, try later.
        round_bytes, round_records: at most so much is written at once.
        linger_s: how long a small round waits for company before it is written: a round costs about 1 ms of processor.
        produce_timeout_s: a broker that has not acknowledged by then is away: the round goes to the spool.
        replay_timeout_s: the same for a round out of the spool, which nobody waits for.
        connect_timeout_s: for one attempt to reach the broker.
        hand_over_bytes: a spool no longer than this is emptied while new records wait, for at most produce_timeout_s.
        retry_min_s, retry_max_s: pauses between attempts to reach a broker that is away, doubling.
        retry_after_s: what a refused caller is told.
        release_every_s: how often the store is asked, where the spool is kept until the store has it all.
        idempotent: whether Kafka drops what the client sends twice; where the broker cannot, we go on without.
    """

    folder: Path
    max_bytes: int = 1024 * MIB
    segment_bytes: int = 8 * MIB
    record_bytes: int = MIB - 4096
    pending_bytes: int = 64 * MIB
    round_bytes: int = 2 * MIB
    round_records: int = 5_000
    linger_s: float = 0.003
    produce_timeout_s: float = 2.0
    connect_timeout_s: float = 5.0
    replay_timeout_s: float = 15.0
    hand_over_bytes: int = 256 * 1024
    retry_min_s: float = 0.1
    retry_max_s: float = 2.0
    retry_after_s: float = 5.0
    release_every_s: float = 5.0
    idempotent: bool = True

    def __post_init__(self) -> None:
        if self.record_bytes > MIB - 1024:
            raise ConfigError("record_bytes must leave Kafka's limit of 1 MiB some room for the frame")
        if self.segment_bytes > self.max_bytes:
            raise ConfigError("segment_bytes must be at most max_bytes")
