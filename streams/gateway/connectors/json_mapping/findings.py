"""What `tieline mapping try` tells about a payload besides its events."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class EntryFindings:
    """About one entry. Nothing in it is a value of the payload.

    Attributes:
        rules: which ones matched: `states.0`, `events.2`, `otherwise`.
        empty: the fields whose expressions found nothing.
        unused: codes, as in a reading.
        events: how many it became.
    """

    rules: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    events: int = 0

    def found_nothing(self, place: str) -> None:
        """Remember a field, once."""
        if place not in self.empty:
            self.empty.append(place)
