"""Which accounts are people, as a mapping says."""

from __future__ import annotations

from schemas.vocabulary import ActorKind
from streams.gateway.log_import.mapping import ActorWords
from streams.gateway.log_import.states import pattern_matcher


class ActorKinds:
    """Names to kinds: the first of systems, bots and unknown that matches, else the mapping's `otherwise`."""

    def __init__(self, ref: ActorWords) -> None:
        kinds: tuple[tuple[ActorKind, tuple[str, ...]], ...] = (
            ("system", ref.systems),
            ("bot", ref.bots),
            ("unknown", ref.unknown),
        )
        self._kinds = [(kind, pattern_matcher(patterns)) for kind, patterns in kinds]
        self._otherwise: ActorKind = ref.otherwise

    def of(self, name: str) -> ActorKind:
        """The kind of who has this name."""
        return next((kind for kind, matches in self._kinds if matches(name)), self._otherwise)
