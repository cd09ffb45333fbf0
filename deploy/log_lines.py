"""How services log: one line for each thing an operator should know, as text or as JSON, never with a payload in it.

A line is one line whatever is in it. Messages of errors that are not ours are left out, because they may quote what was
read; what kind of error it was, and where, stays.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, Literal, get_args

from deploy.log_repeats import Repeats
from schemas.errors import ConfigError, TielineError

LogFormat = Literal["text", "json"]
FORMAT_ENV = "TIELINE_LOG_FORMAT"
FIELDS = {
    "run": "run",
    "process": "of_process",  # Python's own records have the number of the operating system's process as `process`
    "topic": "topic",
    "partition": "partition",
    "offset": "offset",
    "table": "table",
    "reason": "reason",
}
"""What a line may say beside its words, and how `extra=` calls it: names of ours and numbers. Nothing else gets in."""
LEVELS = ("debug", "info", "warning", "error", "critical")
LIBRARIES = ("aiokafka", "asyncio", "faust", "kafka", "mode", "urllib3")
LONGEST_EVENT = 2_000
_LONGEST_FIELD, _FRAMES = 200, 4
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_TOLD = ("aiokafka", "kafka")
"""Packages whose errors quote addresses, topics and numbers, and nothing of a record."""
_LIBRARY_TRACES = frozenset({"asyncio"})
"""Loggers whose first line says what it is, and the next ones quote anything."""


def configure(level: str, form: str | None = None, quiet: Iterable[str] = (), run: str = "") -> None:
    """Log to standard error from now on.

    Args:
        form: `text` or `json`; None: `TIELINE_LOG_FORMAT`, else text.
        quiet: loggers that say only what went wrong.
        run: of this process, if it works for one.
    Raises: ConfigError: an unknown level or format.
    """
    if level.lower() not in LEVELS:
        raise ConfigError(f"log level: expected one of {', '.join(LEVELS)}")
    handler = Lines()
    handler.setFormatter(formatter(form or os.environ.get(FORMAT_ENV) or "text", run))
    handler.addFilter(Repeats(LIBRARIES))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(form: str, run: str = "") -> logging.Formatter:
    """Raises: ConfigError: neither `text` nor `json`."""
    if form not in get_args(LogFormat):
        raise ConfigError(f"log format: expected text or json, in --log-format or {FORMAT_ENV}")
    return JsonLines(run) if form == "json" else TextLines()


class TextLines(logging.Formatter):
    """Time, level, logger, words."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        words = " ".join(filter(None, [event_of(record), error_of(record)]))
        return one_line(f"{self.formatTime(record)} {record.levelname} {record.name} {words}")


class JsonLines(logging.Formatter):
    """One object: at, level, logger, event, and of `FIELDS` what applies; `error` where there was one."""

    def __init__(self, run: str = "") -> None:
        super().__init__()
        self._always = {"run": run} if run else {}

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event_of(record),
            **self._always,
            **_fields(record),
        }
        if error := error_of(record):
            line["error"] = error
        return json.dumps(line)


def event_of(record: logging.LogRecord) -> str:
    """The words of a line, as one line."""
    words = logging.LogRecord.getMessage(_without_foreign_errors(record))
    if record.name in _LIBRARY_TRACES:
        words = words.partition("\n")[0]
    return one_line(words[:LONGEST_EVENT])


def error_of(record: logging.LogRecord) -> str:
    """What kind of error it was and where; what it says only if it is one of ours."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    frames = reversed(extract_tb(error.__traceback__)[-_FRAMES:])
    where = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    said = f"{type(error).__name__}: {error}" if _is_told(error) else type(error).__name__
    return one_line(f"{said} at {where}"[:LONGEST_EVENT] if where else said)


def one_line(text: str) -> str:
    """Control characters and line ends as escapes."""
    return text.translate(_CONTROL)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: getattr(record, attribute, None) for name, attribute in FIELDS.items()}
    return {name: _value(value) for name, value in found.items() if value is not None}


def _value(value: object) -> int | str:
    """A number as it is; anything else is a short text, so that nothing nested gets in."""
    return value if isinstance(value, int) else one_line(str(value)[:_LONGEST_FIELD])


def _without_foreign_errors(record: logging.LogRecord) -> logging.LogRecord:
    if not isinstance(record.args, tuple) or not any(isinstance(each, BaseException) for each in record.args):
        return record
    copy = logging.makeLogRecord(record.__dict__)
    copy.args = tuple(_Kind(each) if _is_foreign(each) else each for each in record.args)
    return copy


def _is_foreign(value: object) -> bool:
    return isinstance(value, BaseException) and not _is_told(value)


def _is_told(error: BaseException) -> bool:
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, TielineError) or package in _TOLD or (package == "builtins" and isinstance(error, OSError))


class _Kind:
    """An error in the words of a line, by its name alone."""

    def __init__(self, error: object) -> None:
        self._name = type(error).__name__

    def __str__(self) -> str:
        return self._name

    __repr__ = __str__


class Lines(logging.Handler):
    """To standard error, whatever that is by then; a line that cannot be formatted is told without its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:  # a log that cannot be written stops nothing
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with suppress(OSError, ValueError):  # nobody reads any more
            print(f"a line of {record.name} could not be written: {_Kind(sys.exc_info()[1])}", file=sys.stderr)
