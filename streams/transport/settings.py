"""How the transport talks to the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """Settings of one worker. The defaults fit Apache Kafka as it is shipped (its shortest session is 6 s).

    Attributes:
        session_timeout_s: a worker not heard of for this long loses its partitions. Tansu makes a group's first
            join wait half of it.
        rebalance_timeout_s: how long the group waits for a worker to hand over before going on without it.
        hand_over_wait_s: how long a revocation waits for the batch in work; after that its mark is void.
        fetch_max_wait_ms: how long the broker may hold an empty fetch; most of the latency of a quiet topic.
        max_batch_records: most records of one fetch over all partitions, hence of one batch.
        max_partition_fetch_bytes: most compressed bytes per partition and request.
        fetch_max_bytes: most compressed bytes per request; the client keeps up to one response unread.
        buffered_batches: batches waiting between the fetch loop and the handler; a full buffer stops fetching.
            Records in memory are at most (buffered_batches + 2) × max_batch_records plus one response.
        commit_timeout_s: `commit_safe` gives up and raises TransientError after this.
        max_poll_interval_s: a worker that fetches nothing for this long leaves the group. Long, because a handler
            waiting for an absent store must keep its place and not restart the group every few minutes.
        retry_max_s: longest pause between two attempts of a batch whose handler raised TransientError.
        stop_timeout_s: a clean stop that takes longer, mostly because the store or the broker is away, ends the process
            the hard way: nothing is lost, what was not written is read again.
    """

    session_timeout_s: float = 6.0
    heartbeat_interval_s: float = 1.5
    rebalance_timeout_s: float = 60.0
    hand_over_wait_s: float = 20.0
    fetch_max_wait_ms: int = 50
    max_batch_records: int = 2_000
    max_partition_fetch_bytes: int = 1_048_576
    fetch_max_bytes: int = 16_777_216
    buffered_batches: int = 8
    commit_timeout_s: float = 10.0
    max_poll_interval_s: float = 86_400.0
    retry_max_s: float = 15.0
    stop_timeout_s: float = 9.0

    def __post_init__(self) -> None:
        if self.heartbeat_interval_s * 2 > self.session_timeout_s:
            raise ConfigError("heartbeat_interval_s must be at most half of session_timeout_s")
        if self.hand_over_wait_s >= self.rebalance_timeout_s:
            raise ConfigError("hand_over_wait_s must be shorter than rebalance_timeout_s")
        if min(self.max_batch_records, self.buffered_batches, self.fetch_max_wait_ms) < 1:
            raise ConfigError("max_batch_records, buffered_batches and fetch_max_wait_ms must be at least 1")

    @classmethod
    def embedded(cls) -> Self:
        """For Tansu: a 4 s session, so that the first join waits 2 s. How long a stop may take its supervisor knows."""
        return cls(session_timeout_s=4.0, heartbeat_interval_s=1.0, stop_timeout_s=60.0)
