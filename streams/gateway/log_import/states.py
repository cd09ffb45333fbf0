"""The mapping's rules, made ready: attribute values in, a meaning out."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import translate
from re import compile as compiled
from typing import NamedTuple

from streams.gateway.log_import.mapping import Mapping, Meaning, State
from streams.gateway.log_import.row import Attributes

VERBS = ("opened", "reopened", "resumed", "assigned", "worked", "paused", "closed")
"""What one event of a log can say about its work item, in the order in which it says it."""
ASSIGNED = VERBS.index("assigned")
RESUMED = VERBS.index("resumed")
PLACES = 8
"""Sequence numbers kept for one event of a log: more than there are verbs, so that none moves when one is added."""

_MAX_CACHED = 10_000
_MAX_CACHED_TEXT = 1_000
_VERB_OF: dict[Meaning, str] = {
    "opened": "opened",
    "reopened": "reopened",
    "resumed": "resumed",
    "working": "worked",
    "paused": "paused",
    "closed": "closed",
}
_WITH_ROLE = frozenset({"assigned", "worked"})


class Reading(NamedTuple):
    """What an event of the log means.

    Attributes:
        verbs: positions in `VERBS`, ascending, with `assigned`; empty if the event is to be ignored.
        roleless: those that can be said without knowing the role.
        pauses: whether the work item is paused afterwards.
        reason: the reason of the pause.
    """

    verbs: tuple[int, ...]
    roleless: tuple[int, ...]
    pauses: bool
    reason: str | None

    def resuming(self) -> Reading:
        """The same event after a pause: it also ends the pause."""
        return self._replace(
            verbs=tuple(sorted({*self.verbs, RESUMED})), roleless=tuple(sorted({*self.roleless, RESUMED}))
        )


class Readings:
    """Finds the reading of an event. Also remembers which rules ever matched."""

    def __init__(self, mapping: Mapping) -> None:
        self.attributes = tuple(dict.fromkeys(name for state in mapping.states for name in state.when))
        self.matched = [False] * len(mapping.states)
        self._rules = [
            (_matcher(state, self.attributes), reading_of(state.means, state.reason)) for state in mapping.states
        ]
        self._otherwise = reading_of(mapping.otherwise, None)
        self._cache: dict[tuple[str, ...], Reading] = {}

    def of(self, event: Attributes) -> Reading:
        """The reading by the first rule that matches."""
        values = tuple([event.get(name, "") for name in self.attributes])
        found = self._cache.get(values)
        if found is None:
            found = self._find(values)
            # An attribute may hold something new, or a novel, in every event.
            if len(self._cache) < _MAX_CACHED and sum(map(len, values)) < _MAX_CACHED_TEXT:
                self._cache[values] = found
        return found

    def _find(self, values: tuple[str, ...]) -> Reading:
        for index, (matches, reading) in enumerate(self._rules):
            if matches(values):
                self.matched[index] = True
                return reading
        return self._otherwise


def pattern_matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a value is one of the patterns: literally, or as a shell pattern. Case counts."""
    literal = frozenset(patterns)
    globs = [compiled(translate(pattern)) for pattern in patterns if any(sign in pattern for sign in "*?[")]
    return lambda value: value in literal or any(glob.match(value) for glob in globs)


def _matcher(state: State, attributes: tuple[str, ...]) -> Callable[[tuple[str, ...]], bool]:
    tests = [(attributes.index(name), pattern_matcher(patterns)) for name, patterns in state.when.items()]
    return lambda values: all(test(values[index]) for index, test in tests)


def reading_of(means: tuple[Meaning, ...], reason: str | None) -> Reading:
    """What a rule with these meanings says about an event."""
    if "ignore" in means:
        return Reading((), (), False, None)
    verbs = {"assigned", *(_VERB_OF[meaning] for meaning in means if meaning in _VERB_OF)}
    order = tuple(sorted(VERBS.index(verb) for verb in verbs))
    roleless = tuple(index for index in order if VERBS[index] not in _WITH_ROLE)
    return Reading(order, roleless, "paused" in means, reason)
