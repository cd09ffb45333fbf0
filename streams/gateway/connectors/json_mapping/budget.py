"""How much work one delivery may cause."""

from __future__ import annotations

from schemas.errors import InvalidEvent

MAX_UNITS = 30_000
"""About 30 ms: a unit is one step of an expression, or 64 characters of a text that is put together."""
_CHARACTERS_A_UNIT = 64


class Budget:
    """Counts down while expressions are evaluated, so that none of them can multiply a payload without end."""

    __slots__ = ("left",)

    def __init__(self, units: int = MAX_UNITS) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        """Raises: InvalidEvent: `too_complex`: this payload makes the mapping's expressions too much work."""
        self.left -= units
        if self.left < 0:
            raise InvalidEvent("too_complex") from None

    def spend_text(self, characters: int) -> None:
        """As `spend`, for a text of so many characters."""
        self.spend(1 + characters // _CHARACTERS_A_UNIT)

    def spend_all_of(self, value: object) -> None:
        """As `spend`, for every part of a value: what is shared by many places counts in each of them."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                self.spend_text(len(part))
                continue
            self.spend(1)
            if isinstance(part, dict):
                self.spend(len(part))
                waiting.extend(part.values())
            elif isinstance(part, list):
                # Before it is copied: a list may hold itself a million times over.
                self.spend(len(part))
                waiting.extend(part)
