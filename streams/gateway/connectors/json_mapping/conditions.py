"""The rules of a mapping, made ready: an entry in, whether `when` is true of it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from streams.gateway.connectors.json_mapping.entry import Entry, glob_characters
from streams.gateway.log_import.states import pattern_matcher


class _Test(NamedTuple):
    expression: str
    matches: Callable[[str], bool]
    glob_characters: int


class Condition:
    """All of a rule's `when`: expression → patterns. A list matches if one of its values does, no value is `""`."""

    def __init__(self, when: dict[str, tuple[str, ...]]) -> None:
        self._tests = [
            _Test(text, pattern_matcher(patterns), glob_characters(patterns)) for text, patterns in when.items()
        ]

    def true_of(self, entry: Entry) -> bool:
        """Whether every expression finds something that matches."""
        return all(_passes(test, entry.compared(test.expression), entry) for test in self._tests)


def _passes(test: _Test, values: Iterable[str], entry: Entry) -> bool:
    for value in values:
        entry.spend_matching(test.glob_characters, value)
        if test.matches(value):
            return True
    return False
