"""Who wants to know how the store does. What is told here is counted, never decided upon."""

from __future__ import annotations

from typing import Protocol


class StoreWatch(Protocol):
    """Called from one event loop; methods return at once."""

    def inserted(self, table: str, rows: int, took_s: float) -> None:
        """The store has acknowledged so many rows; the attempt that did it took so long."""

    def aggregated(self, windows: int) -> None:
        """So many tie windows were aggregated again."""

    def troubled(self, kind: str) -> None:
        """A call failed and is tried again; `Fault.kind` says how."""

    def answers(self) -> None:
        """The store does what it is asked, after trouble."""


class Unwatched:
    """Nobody wants to know."""

    def inserted(self, table: str, rows: int, took_s: float) -> None: ...

    def aggregated(self, windows: int) -> None: ...

    def troubled(self, kind: str) -> None: ...

    def answers(self) -> None: ...
