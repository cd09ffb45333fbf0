"""One entry of a payload, asked by the expressions of its mapping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from schemas.vocabulary import ActorKind
from streams.gateway.connectors.connector import Context, RoleKind
from streams.gateway.connectors.json_mapping.budget import Budget
from streams.gateway.connectors.json_mapping.expression import View, expression, text_of
from streams.gateway.connectors.json_mapping.findings import EntryFindings
from streams.gateway.connectors.json_mapping.mapping import PayloadActor, PayloadMapping, PayloadRole, PayloadTime
from streams.gateway.connectors.reading_json import MAX_FREE_TEXT_CHARS
from streams.gateway.edge.draft import Acting
from streams.gateway.log_import.actor_kinds import ActorKinds
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.times import TimeReader

MAX_NAME = 1_000
MAX_COMPARED = 4_096
MAX_LISTED = 200
_COMPARED_A_UNIT = 1_000
_UNPLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KINDS: dict[str, ActorKind] = {"human": "human", "bot": "bot", "system": "system", "unknown": "unknown"}


def glob_characters(patterns: tuple[str, ...]) -> int:
    """How long those are that are no plain values."""
    return sum(len(pattern) for pattern in patterns if any(sign in pattern for sign in "*?["))


class Asking:
    """What stays the same for all entries of a mapping: readers of times and kinds of actors, made once."""

    def __init__(self, mapping: PayloadMapping) -> None:
        self.mapping = mapping
        self.missing = frozenset(mapping.missing_values)
        self._notes: Counter[str] = Counter()
        own = [rule.time for rule in mapping.events if rule.time]
        self._times = {spec: TimeReader(spec, self._notes) for spec in [mapping.time, *own]}
        refs = [mapping.actor, *(rule.actor for rule in mapping.events)]
        self._kinds = {ref: ActorKinds(ref) for ref in refs if ref}
        self.actor_globs = {ref: glob_characters(ref.systems + ref.bots + ref.unknown) for ref in self._kinds}
        self._written_out = TimeReader(PayloadTime(attribute="time"), self._notes)

    def time(self, spec: PayloadTime, text: str) -> datetime:
        """Raises: UnusableRow: as `TimeReader.read`."""
        return self._times[spec].read(text)

    def any_time(self, text: str) -> datetime:
        """A time in the form of the mapping's `time`, or with date, time and offset written out (ISO 8601).

        Raises: UnusableRow: as `TimeReader.read`.
        """
        try:
            return self._times[self.mapping.time].read(text)
        except UnusableRow:
            return self._written_out.read(text)

    def kind(self, ref: PayloadActor, name: str) -> ActorKind:
        """The kind of an actor by the patterns."""
        return self._kinds[ref].of(name)


class Entry:
    """Answers with plain values; nothing where nothing was found. Raises UnusableRow with a code where it is no use."""

    def __init__(self, asking: Asking, view: View, context: Context, budget: Budget, findings: EntryFindings) -> None:
        self.asking, self.context, self.findings = asking, context, findings
        self._view, self._budget = view, budget

    def value(self, text: str, place: str) -> object:
        """What an expression finds; `place` is the field of the mapping that it stands in."""
        found = expression(text).find(self._view, self._budget)
        if found is None:
            self.findings.found_nothing(place)
        return found

    def compared(self, text: str) -> tuple[str, ...]:
        """What a condition compares with its patterns: one text, or that of each value of a list."""
        found = expression(text).find(self._view, self._budget)
        if not isinstance(found, list):
            return (_short_text(found),)
        self._budget.spend(min(len(found), MAX_LISTED))
        return tuple(_short_text(value) for value in found[:MAX_LISTED]) or ("",)

    def name(self, text: str, place: str) -> str:
        """A name, code or id; empty where nothing is, or one of the mapping's `missing_values`.

        Raises: UnusableRow: `bad_<place>`: longer than 1,000 characters, or with control characters.
        """
        found = self.value(text, place)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        return self.plain(text_of(found), place)

    def plain(self, text: str, place: str) -> str:
        """As `name`, for a text that was found already."""
        text = text.strip() if len(text) < MAX_FREE_TEXT_CHARS else text
        if text in self.asking.missing:
            return ""
        if len(text) > MAX_NAME or _UNPLAIN.search(text):
            raise UnusableRow(f"bad_{place.rpartition('.')[2]}")
        return text

    def time(self, spec: PayloadTime) -> datetime:
        """When it happened, in UTC. Raises: UnusableRow: as `TimeReader.read`."""
        return self.asking.time(spec, text_of(self.value(spec.attribute, "time")))

    def role(self, ref: PayloadRole) -> str:
        """The owner, by the policy's maps; empty where nobody is told. Raises: UnusableRow: bad_role."""
        return self.role_of(ref.kind, self.name(ref.attribute, "role"))

    def role_of(self, kind: RoleKind, name: str) -> str:
        """The role that a name stands for."""
        if not name:
            return ""
        self._budget.spend(5)
        roles = self.context.roles
        return roles.of_actor(Acting(name)) if kind == "actor" else roles.named(kind, name)

    def actor(self, ref: PayloadActor | None) -> Acting | None:
        """Who acted, not yet hashed. Raises: UnusableRow: bad_actor."""
        name = self.name(ref.attribute, "actor") if ref else ""
        if ref is None or not name:
            return None
        self.spend_matching(self.asking.actor_globs[ref], name)
        told = _KINDS.get(_short_text(self.value(ref.kind, "actor.kind")).lower()) if ref.kind else None
        return Acting(name, told or self.asking.kind(ref, name))

    def site(self) -> str:
        """Where; empty if it is not told. Raises: UnusableRow: bad_site."""
        ref = self.asking.mapping.site
        if ref is None or ref.attribute is None:
            return (ref.value or "") if ref else ""
        return self.name(ref.attribute, "site")

    def sequence(self) -> int:
        """The mapping's order among entries of one instant; 0 where it says nothing, or no whole number."""
        text = self.asking.mapping.sequence
        found = text_of(self.value(text, "sequence")) if text else ""
        return int(found) if found.isascii() and found.isdigit() and len(found) < 18 else 0

    def free_text(self, text: str) -> str:
        """What somebody wrote, for `Draft.text` alone; several texts of a list one after the other."""
        found = self.value(text, "text")
        joined = "\n".join(_texts(found))[:MAX_FREE_TEXT_CHARS]
        self._budget.spend_text(len(joined))
        return _LONE_SURROGATE.sub("\ufffd", joined)

    def spend_matching(self, pattern_characters: int, value: str) -> None:
        """Pay for comparing a value with shell patterns, each of which may be tried at every place of it."""
        self._budget.spend(pattern_characters * len(value) // _COMPARED_A_UNIT)

    def spend(self, units: int) -> None:
        """Pay for work that no expression does. Raises: InvalidEvent: too_complex."""
        self._budget.spend(units)


def _short_text(found: object) -> str:
    text = text_of(found)
    return text if len(text) <= MAX_COMPARED else ""


def _texts(found: object) -> Iterator[str]:
    for part in found[:MAX_LISTED] if isinstance(found, list) else [found]:
        if isinstance(part, str):
            yield part[:MAX_FREE_TEXT_CHARS]
