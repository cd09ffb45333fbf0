"""What a window keeps of its handoffs beside their values: how long they waited, and when they were offered.

Every handoff says up to three things, each a small number, and a window counts how often each was said: one aggregate
instead of four. Source: docs/method.md#answer-curve
"""

from __future__ import annotations

FIRST_BIN_S, BINS_PER_OCTAVE, LAST_BIN = 15, 4, 127
"""Times are counted in bins of a quarter octave, so that seconds and weeks are kept with the same relative precision.
Bin k starts at FIRST_BIN_S·(2^(k/BINS_PER_OCTAVE) − 1) seconds; the last starts after a thousand years."""

_UNANSWERED, _HOURS, _OPEN = 1 << 7, 1 << 8, 1 << 10
"""Where the codes of each kind begin: answered by bin, unanswered by bin, hour of the week, minute of an open start."""

DETAIL_COLUMNS = "answered, unanswered, hours, open_since"


def waiting_bin(waited_s: str) -> str:
    """The bin of a wait: floor(4·log2(1 + w/15)), read off the exponent of (1 + w/15)⁴, which no library rounds."""
    ratio = f"(1 + ifNull({waited_s}, 0) / {FIRST_BIN_S})"
    power = " * ".join([ratio] * BINS_PER_OCTAVE)
    return f"toUInt32(least(bitShiftRight(reinterpretAsUInt64({power}), 52) - 1023, {LAST_BIN}))"


def bin_start_s(number: str) -> str:
    """Where a bin starts, in seconds."""
    return f"({FIRST_BIN_S} * (exp2({number} / {BINS_PER_OCTAVE}) - 1))"


def detail_codes() -> str:
    """What one row of evidence of a handoff's answer says. Columns: waited_s, answered, at, hour_of_week."""
    minute = "toUInt32(intDiv(toUnixTimestamp64Micro(at), 60000000))"
    waited = f"{waiting_bin('waited_s')} + if(answered, 0, {_UNANSWERED})"
    return f"[toUInt32(hour_of_week + {_HOURS}), toUInt32(if(isNull(waited_s), {minute} + {_OPEN}, {waited}))]"


def details_of(counts: str) -> str:
    """The four columns `DETAIL_COLUMNS` from codes and how often each was said: a tuple of two arrays."""
    return ", ".join(
        [
            _between(counts, 0, _UNANSWERED, "UInt8"),
            _between(counts, _UNANSWERED, _HOURS, "UInt8"),
            _between(counts, _HOURS, _OPEN, "UInt8"),
            _between(counts, _OPEN, None, "UInt32"),
        ]
    )


def counts_of(counts: str, key: str) -> str:
    """A map from a tuple of keys and counts, in the order of its keys."""
    return f"CAST(({counts}.1, {counts}.2), 'Map({key}, UInt64)')"


A_STRING, A_NUMBER = "concat({0}, '.')", "toUInt32({0} + 1)"
"""Something of the type that differs from a given value."""


def tally(ordered: str, another: str) -> str:
    """The distinct values of a sorted array and how often each is there, as a tuple of two arrays.

    Linear, and several times faster than the aggregate `sumMap`, which keeps a tree of its keys for every group.
    """
    following = f"arraySlice(arrayPushBack({ordered}, {another.format(ordered + '[-1]')}), 2)"
    differs = "(one, next) -> one != next"
    values = f"arrayFilter({differs}, {ordered}, {following})"
    last_places = f"arrayFilter((place, one, next) -> one != next, arrayEnumerate({ordered}), {ordered}, {following})"
    return f"({values}, arrayPopFront(arrayDifference(arrayPushFront({last_places}, 0))))"


def _between(counts: str, first: int, after: int | None, key: str) -> str:
    within = f"code >= {first}" + (f" AND code < {after}" if after else "")
    keys = f"arrayMap(code -> code - {first}, arrayFilter(code -> {within}, {counts}.1))"
    numbers = f"arrayFilter((number, code) -> {within}, {counts}.2, {counts}.1)"
    return f"CAST(({keys}, {numbers}), 'Map({key}, UInt64)')"
