"""What can go wrong with a log, by what the caller does next. No message holds a value of the log."""

from __future__ import annotations

from schemas.errors import TielineError


class LogUnreadable(TielineError):  # noqa: N818 - says what is wrong with the log
    """The log cannot be read any further; everything before `position` has been yielded.

    Operator action: get a complete copy of the file. Importing it again repeats nothing: ids stay the same.
    """

    exit_code = 65

    def __init__(self, file: str, position: str, reason: str) -> None:
        super().__init__(f"{file}: {position}: {reason}")
        self.file = file
        self.position = position
        self.reason = reason


class UnusableRow(Exception):  # noqa: N818 - never leaves this package: it becomes a `Skipped`
    """One event of the log cannot become a Tieline event; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
