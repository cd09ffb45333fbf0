"""Errors as a ClickHouse server words them."""

from __future__ import annotations

import re

from schemas.errors import TielineError

SYNTAX_ERROR = 62
BAD_ARGUMENTS = 36
LOGICAL_ERROR = 49
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
INCORRECT_DATA = 117
NOT_IMPLEMENTED = 48
READONLY = 164
REQUEST_TOO_LARGE = 307
TOO_MANY_SIMULTANEOUS_QUERIES = 202
UNKNOWN_DATABASE = 81

_NAMES = {
    SYNTAX_ERROR: "SYNTAX_ERROR",
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    LOGICAL_ERROR: "LOGICAL_ERROR",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    INCORRECT_DATA: "INCORRECT_DATA",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    READONLY: "READONLY",
    REQUEST_TOO_LARGE: "TOO_MANY_BYTES",
    TOO_MANY_SIMULTANEOUS_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    UNKNOWN_DATABASE: "UNKNOWN_DATABASE",
}

_STATUS = {
    6: 400, 26: 400, 27: 400, 33: 400, 36: 400, 38: 400, 41: 400, 42: 400, 43: 400, 44: 400, 46: 404, 47: 404, 50: 400,
    53: 400, 57: 400, 60: 404, 62: 400, 70: 400, 72: 400, 81: 404, 117: 400, 159: 408, 164: 400, 202: 503, 307: 413,
    452: 400, 456: 400, 457: 400, 48: 501, 497: 403, 516: 403,
}  # fmt: skip
_CODE = re.compile(r"Code: (\d+)")


class StoreError(TielineError):
    """A request that the store refused or could not answer, worded as a server would.

    Attributes:
        code: ClickHouse's error number.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def http_status(self) -> int:
        return _STATUS.get(self.code, 500)

    @classmethod
    def refusal(cls, code: int, reason: str) -> StoreError:
        """An error of the front itself, in the shape of the engine's."""
        return cls(code, f"Code: {code}. DB::Exception: {reason} ({_NAMES.get(code, 'UNKNOWN_EXCEPTION')})")

    @classmethod
    def from_engine(cls, error: BaseException) -> StoreError:
        """The engine's own error; its text may quote the query, so it goes to the client and never to a log."""
        text = str(error)
        found = _CODE.search(text)
        if found is None:
            return cls(1002, f"Code: 1002. DB::Exception: {text} (UNKNOWN_EXCEPTION)")
        return cls(int(found.group(1)), text[found.start() :])
