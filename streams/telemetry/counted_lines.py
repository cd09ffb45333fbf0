"""Lines of the log, counted by level: what goes wrong without a metric of its own shows here."""

from __future__ import annotations

import logging

from streams.telemetry.values import Values
from streams.telemetry.worker_metrics import LOG_LINES


class CountedLines(logging.Handler):
    """Writes nothing."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self._values.add(LOG_LINES, 1, record.levelname.lower())
