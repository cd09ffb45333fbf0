"""The rules of a mapping, made ready: an entry in, whether `when` is true of it out."""

from __future__ import annotations

from collections.abc import Callable

from streams.gateway.connectors.json_mapping.entry import Entry
from streams.gateway.log_import.states import pattern_matcher


class Condition:
    """All of a rule's `when`: expression → patterns. A list matches if one of its values does, no value is `""`."""

    def __init__(self, when: dict[str, tuple[str, ...]]) -> None:
        self._tests: list[tuple[str, Callable[[str], bool]]] = [
            (text, pattern_matcher(patterns)) for text, patterns in when.items()
        ]

    def true_of(self, entry: Entry) -> bool:
        """Whether every expression finds something that matches."""
        return all(any(map(matches, entry.compared(text))) for text, matches in self._tests)
