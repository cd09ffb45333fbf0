"""What the `signals` app needs of a store, and who else wants to know what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from schemas.signal import Finding, Signal, SignalKind


class SignalStore(Protocol):
    """Methods return when the store has answered, however long that takes."""

    async def open(self) -> None:
        """Connect. Raises: ConfigError: the store is not of this version. TransientError: no answer."""

    async def opened(self) -> list[Signal]:
        """The newest record of all signals that have not ended."""

    async def said(self, signals: Sequence[Signal]) -> list[Signal]:
        """The newest record of those of these signals that the store has."""

    async def findings(self, kind: SignalKind, now: datetime) -> list[Finding]:
        """What is so at `now`."""

    async def endings(self, signals: Sequence[Signal], now: datetime) -> Mapping[str, datetime | None]:
        """Of handoffs and problems: by signal, when it ended (None: it has not). Nothing of what is not there."""


class Listener(Protocol):
    """Who is told everything that is said by this worker."""

    async def begin(self, known: Sequence[Signal]) -> None:
        """This worker speaks from now on. `known`: said before, some perhaps not in the store yet."""

    def said(self, signals: Sequence[Signal]) -> None:
        """These were said just now."""

    def end(self) -> None:
        """Somebody else may speak now."""


class Nobody:
    """A listener that does not listen."""

    async def begin(self, known: Sequence[Signal]) -> None: ...

    def said(self, signals: Sequence[Signal]) -> None: ...

    def end(self) -> None: ...
