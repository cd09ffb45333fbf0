"""`python -m tests.faults.clocked worker …`: a worker whose clock is set by a file, as by an operator or by NTP.

Everything that looks at the clock of the wall is taken in, the time stamps of what the worker writes to Kafka too; what
only goes forward (timeouts, intervals) is left alone, as it is where a machine's clock is set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from streams.apps import clock

if TYPE_CHECKING:
    from streams.transport.producer import BatchProducer, Pair

FILE_ENV = "TIELINE_TEST_CLOCK"


class SetClock:
    """A clock that is as many seconds ahead of the real one as the file says at this moment."""

    def __init__(self, file: Path, real_s: Callable[[], float]) -> None:
        self._file, self._real_s = file, real_s
        self._read_at_ns = 0
        self._ahead_s = 0.0

    def seconds(self) -> float:
        """Since 1970."""
        written_at_ns = self._file.stat().st_mtime_ns
        if written_at_ns != self._read_at_ns:
            self._read_at_ns, self._ahead_s = written_at_ns, float(self._file.read_text())
        return self._real_s() + self._ahead_s

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)


def set_ahead(file: Path, seconds: float) -> None:
    """Set the clock; whole, or not at all."""
    written = file.with_suffix(".new")
    written.write_text(str(seconds))
    written.replace(file)


def main() -> None:
    """Put the clock in place before anything has taken the real one, then go on as `tieline` does."""
    hand = SetClock(Path(os.environ[FILE_ENV]), time.time)
    time.time = hand.seconds
    clock.wall_clock = hand.now
    stamp_records(hand)

    from deploy.cli import main as tieline

    tieline()


def stamp_records(hand: SetClock) -> None:
    """Records get the time of this clock: aiokafka takes it from C, where nothing can be put in its place."""
    from streams.transport.producer import BatchProducer

    produce = BatchProducer.produce

    async def stamped(self: BatchProducer, topic: str, partition: int, records: Sequence[Pair]) -> int | None:
        return await produce(self, topic, partition, records, timestamp_ms=int(hand.seconds() * 1000))

    BatchProducer.produce = stamped  # type: ignore[method-assign] # a test's


if __name__ == "__main__":
    main()
