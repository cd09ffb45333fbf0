"""Libraries that say the same thing again and again while a service is away: once in a while is enough."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

EVERY_S = 30.0


class Repeats(logging.Filter):
    """Lets a line of a library through, and then none with the same words for a while; the next one says how many
    were left out. Lines with the same words and other values (an address, a partition) are the same.

    Without it a worker writes 70 lines a second while no broker answers.

    Args:
        libraries: first parts of the loggers' names that this is for.
        every_s: how long a while is.
        clock_s: a clock that only goes forward.
    """

    def __init__(
        self,
        libraries: Collection[str],
        every_s: float = EVERY_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._libraries, self._every_s, self._clock_s = frozenset(libraries), every_s, clock_s
        self._said_at_s: dict[tuple[str, int, str], float] = {}
        self._left_out: dict[tuple[str, int, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        words, now_s = (record.name, record.levelno, str(record.msg)), self._clock_s()
        said_at_s = self._said_at_s.get(words)
        if said_at_s is not None and now_s - said_at_s < self._every_s:
            self._left_out[words] = self._left_out.get(words, 0) + 1
            return False
        self._said_at_s[words] = now_s
        if left_out := self._left_out.pop(words, 0):
            record.msg = f"{record.msg} [and {left_out} more like it since]"
        return True
