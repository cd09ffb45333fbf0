"""Which actors are no people: what the settings of a source say about names."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.vocabulary import ActorKind
from streams.gateway.edge.draft import Acting


@dataclass(frozen=True, slots=True)
class Marks:
    """Patterns over the names by which a source knows its actors.

    `*` stands for anything, also nothing; every other character for itself, so that `*[bot]` does what it seems to.
    Case does not count. The names themselves go no further.

    Attributes:
        bots: programs that act like somebody: they answer, comment, assign.
        systems: the source itself: timers, rules, interfaces.
        otherwise: what an actor is that neither the source nor a pattern says anything about.
    """

    bots: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    otherwise: ActorKind = "unknown"

    def kind(self, actor: Acting) -> ActorKind:
        """What an actor is. Somebody whom either the source or a pattern takes for no person is none."""
        if actor.kind in ("bot", "system"):
            return actor.kind
        name = actor.name.casefold()
        if any(matches(pattern, name) for pattern in self.bots):
            return "bot"
        if any(matches(pattern, name) for pattern in self.systems):
            return "system"
        return actor.kind if actor.kind == "human" else self.otherwise


def matches(pattern: str, folded: str) -> bool:
    """Whether a name in lower case is one that the pattern means. Cost: linear in the name, whatever the pattern."""
    first, *rest = pattern.casefold().split("*")
    if not rest:
        return folded == first
    *middle, last = rest
    if not folded.startswith(first) or not folded.endswith(last):
        return False
    place, end = len(first), len(folded) - len(last)
    for part in middle:
        found = folded.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return place <= end
