"""What has to be said, given what is so now and what was said before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from schemas.signal import Finding, Signal, Subject

_JUST_AFTER = timedelta(microseconds=1)
Ended = Mapping[str, datetime | None]
"""Signal to when it ended; None: it has not."""


def new_signals(
    run: str,
    findings: Iterable[Finding],
    opened: Mapping[Subject, Signal],
    earlier: Mapping[str, Signal],
    is_urgent: Callable[[Finding], bool],
    now: datetime,
) -> list[Signal]:
    """One signal for each finding that no open signal is about.

    Args:
        opened: what was said to be so and not said to have ended.
        earlier: by id, the newest record of signals that have ended; one that is so again is the same signal.
    """
    said: dict[Subject, Signal] = {}
    for finding in findings:
        if finding.subject in opened or finding.subject in said:
            continue
        signal = finding.signal_id(run)
        before = earlier.get(signal)
        said[finding.subject] = Signal.model_validate(
            {
                **_fields(finding),
                "run": run,
                "signal": signal,
                "state": "opened",
                "urgent": is_urgent(finding),
                "opened_at": before.opened_at if before else now,
                "said_at": _after(before, now),
            }
        )
    return list(said.values())


def closed_signals(opened: Iterable[Signal], still: Iterable[Finding], ended: Ended, now: datetime) -> list[Signal]:
    """The end of every open signal that no finding is about, unless it has not ended after all.

    Args:
        ended: of some of them, when they ended, or that they have not. The others ended now.
    """
    subjects = {finding.subject for finding in still}
    closing = {signal: ended.get(signal.signal, now) for signal in opened if signal.subject not in subjects}
    return [
        signal.model_copy(update={"state": "closed", "closed_at": at, "said_at": _after(signal, now)})
        for signal, at in closing.items()
        if at is not None
    ]


def newest(signals: Iterable[Signal]) -> dict[str, Signal]:
    """By id, the record that counts."""
    found: dict[str, Signal] = {}
    for signal in signals:
        known = found.get(signal.signal)
        if known is None or signal.said_at >= known.said_at:
            found[signal.signal] = signal
    return found


def _after(before: Signal | None, now: datetime) -> datetime:
    """Now, but later than the record before: clocks may go back, and the store keeps the latest record."""
    return max(now, before.said_at + _JUST_AFTER) if before else now


def _fields(finding: Finding) -> dict[str, object]:
    return {name: getattr(finding, name) for name in Finding.model_fields}
