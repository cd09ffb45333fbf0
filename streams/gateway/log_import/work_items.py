"""What has to be remembered of every work item of a log, packed into one small integer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_PAUSED = 1
_MAPPED = 2
_ORDINAL_SHIFT = 2
_ORDINAL_BITS = 40
_TIME_SHIFT = _ORDINAL_SHIFT + _ORDINAL_BITS
_ORDINAL_MASK = (1 << _ORDINAL_BITS) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class WorkItems:
    """Counts the events of each work item, so that rows of different work items may be mixed.

    Memory: one dictionary entry for each work item, about 145 bytes with an id of 15 characters (a million work
    items: 145 MB); nothing grows with the number of events.
    """

    __slots__ = ("_packed",)

    def __init__(self) -> None:
        self._packed: dict[str, int] = {}

    def __contains__(self, work_item: str) -> bool:
        return work_item in self._packed

    def next_ordinal(self, work_item: str) -> int:
        """The position, from 0, of the event of this work item that is being read now."""
        packed = self._packed.get(work_item, 0)
        self._packed[work_item] = packed + (1 << _ORDINAL_SHIFT)
        return packed >> _ORDINAL_SHIFT & _ORDINAL_MASK

    def paused(self, work_item: str) -> bool:
        """Whether the last mapped event left the work item paused."""
        return bool(self._packed[work_item] & _PAUSED)

    def note(self, work_item: str, at: datetime, paused: bool) -> tuple[bool, bool]:
        """Remember a mapped event. Returns: whether it was the first, whether the one before it was later."""
        packed = self._packed[work_item]
        at_us = (at - _EPOCH) // _MICROSECOND
        kept = packed & (_ORDINAL_MASK << _ORDINAL_SHIFT)
        self._packed[work_item] = (at_us << _TIME_SHIFT) | kept | _MAPPED | (_PAUSED if paused else 0)
        return not packed & _MAPPED, at_us < packed >> _TIME_SHIFT
