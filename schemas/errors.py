"""The error tree, branched by what the caller does next."""

from __future__ import annotations


class TielineError(Exception):
    """Base of every error that Tieline raises on purpose."""


class InvalidEvent(TielineError):  # noqa: N818 - the domain word is the name
    """Input that will never become valid: dead-letter it, never retry.

    Attributes:
        code: a stable, machine-readable reason (`schema`, `not_json`, `too_large`, ...).
        field: dotted path of the offending field, never its value; empty when there is none.
    """

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(f"{code} at {field}" if field else code)
        self.code = code
        self.field = field


class TransientError(TielineError):
    """Something outside is away for now: wait, then try the same thing again.

    Operator action: none while it passes by itself; if it stays, look at the service that `what` names.
    """

    def __init__(self, what: str, retry_after_s: float = 1.0) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_s = retry_after_s


class ConfigError(TielineError):
    """A setting, policy or mapping file is wrong: the process ends with exit code 78.

    Operator action: correct the file and field that the message names.
    """

    exit_code = 78


class PolicyError(ConfigError):
    """A policy is missing, contradictory or does not know a process.

    Operator action: correct the policy file that the message names.
    """


class InvariantError(TielineError):
    """A promise of our own is broken: a bug. Nothing catches this; the process ends."""
