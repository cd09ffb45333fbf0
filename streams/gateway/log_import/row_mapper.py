"""One event of a log to the Tieline events it stands for."""

from __future__ import annotations

from collections.abc import Callable

from streams.gateway.actors import ActorKey
from streams.gateway.log_import.actor_kinds import ActorKinds
from streams.gateway.log_import.counts import ImportCounts
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.event_bytes import Acted, EventBytes, Mapped, contract_text, json_text, utc_text
from streams.gateway.log_import.mapping import ActorRef, Level, Mapping, TimeRef, WorkItemRef
from streams.gateway.log_import.row import Row, Wanted
from streams.gateway.log_import.states import Reading, Readings
from streams.gateway.log_import.times import TimeReader
from streams.gateway.log_import.work_items import WorkItems

_MAX_CACHED = 50_000
_MAX_NAME = 1_000


class RowMapper:
    """Maps rows in the order of the file; keeps a counter for each work item and nothing else of what it has seen.

    Args:
        work_item: where the work item is, its level filled in for the format of the log.
        actor_key: needed if the mapping has an actor.
    """

    def __init__(
        self,
        mapping: Mapping,
        work_item: WorkItemRef,
        builder: EventBytes,
        actor_key: ActorKey | None,
        counts: ImportCounts,
    ) -> None:
        self.counts = counts
        self.readings = Readings(mapping)
        self._mapping, self._work_item, self._builder = mapping, work_item, builder
        self._time = mapping.time or TimeRef()
        self._times = TimeReader(self._time, counts.notes)
        self._missing = frozenset(mapping.missing_values)
        self._items = WorkItems()
        self._roles: dict[str, str] = {}
        self._sites: dict[str, str] = {}
        self._actors = _ActorTexts(mapping.actor, actor_key) if mapping.actor and actor_key else None
        self._constant_site = json_text(mapping.site.value) if mapping.site and mapping.site.value else '""'

    def wanted(self) -> Wanted:
        """The attributes that the mapping reads."""
        named = [self._work_item, self._mapping.role, self._mapping.actor, self._mapping.site]
        by_level = {(ref.level or "event", ref.attribute) for ref in named if ref and ref.attribute}
        event = {self._time.attribute, *self.readings.attributes}
        event.update(name for level, name in by_level if level == "event")
        return Wanted(frozenset(event), frozenset(name for level, name in by_level if level == "trace"))

    def map(self, row: Row) -> list[Mapped]:
        """The row's events, at least one.

        Raises: UnusableRow: no_work_item, bad_work_item, ignored, no_role, bad_role, bad_site, bad_actor, or what
            `TimeReader.read` says. The row has its place in the work item's order all the same, so that the ids of
            the others stay what they are when a mapping is changed.
        """
        work_item = self._value(row, self._work_item.attribute, self._work_item.level)
        if not work_item:
            raise UnusableRow("no_work_item")
        subject = json_text(work_item) if work_item in self._items else contract_text("work_item", work_item)
        ordinal = self._items.next_ordinal(work_item)
        reading = self.readings.of(row.event)
        if not reading.verbs:
            raise UnusableRow("ignored")
        if not reading.pauses and self._items.paused(work_item):
            reading = reading.resuming()
        return self._events(row, work_item, subject, ordinal, reading)

    def _events(self, row: Row, work_item: str, subject: str, ordinal: int, reading: Reading) -> list[Mapped]:
        role = self._role(row)
        verbs = reading.verbs if role else reading.roleless
        if not verbs:
            raise UnusableRow("no_role")
        at = self._times.read(row.event.get(self._time.attribute, ""))
        reason = f'"reason":{json_text(reading.reason)}' if reading.reason else ""
        acted = Acted(utc_text(at), self._site(row), self._actor(row), role, reason)
        built = self._builder.build(work_item, subject, ordinal, verbs, acted)
        first, earlier = self._items.note(work_item, at, reading.pauses)
        self.counts.work_items += first
        if earlier:
            self.counts.notes["out_of_order"] += 1
        self.counts.saw(at)
        return built

    def _value(self, row: Row, attribute: str, level: Level | None) -> str:
        value = row.text(attribute, level)
        return "" if not value or value.isspace() or value in self._missing else value

    def _role(self, row: Row) -> str:
        ref = self._mapping.role
        name = self._value(row, ref.attribute, ref.level)
        if name:
            return self._known_role(name)
        if ref.missing == "skip":
            raise UnusableRow("no_role")
        return ""

    def _known_role(self, name: str) -> str:
        text = self._roles.get(name)
        if text is None:
            text = self._roles[name] = f'"role":{contract_text("role", name)}'
            self.counts.roles += 1
        return text

    def _site(self, row: Row) -> str:
        ref = self._mapping.site
        if ref is None or ref.attribute is None:
            return self._constant_site
        name = self._value(row, ref.attribute, ref.level)
        return _cached(self._sites, name, lambda value: contract_text("site", value))

    def _actor(self, row: Row) -> str:
        ref = self._mapping.actor
        if ref is None or self._actors is None:
            return ""
        name = self._value(row, ref.attribute, ref.level)
        if not name:
            self.counts.notes["no_actor"] += 1
            return ""
        return self._actors.of(name)


class _ActorTexts:
    """Names to the JSON of their hashes and kinds."""

    def __init__(self, ref: ActorRef, key: ActorKey) -> None:
        self._key = key
        self._kinds = ActorKinds(ref)
        self._cache: dict[str, str] = {}

    def of(self, name: str) -> str:
        return _cached(self._cache, name, self._make)

    def _make(self, name: str) -> str:
        if len(name) > _MAX_NAME:
            raise UnusableRow("bad_actor")
        try:
            return f'"actor":{{"id":"{self._key.hash_actor(name)}","kind":"{self._kinds.of(name)}"}}'
        except ValueError:
            raise UnusableRow("bad_actor") from None


def _cached(cache: dict[str, str], value: str, make: Callable[[str], str]) -> str:
    text = cache.get(value)
    if text is None:
        text = make(value)
        if len(cache) < _MAX_CACHED:  # a log may hold something new in every event
            cache[value] = text
    return text
