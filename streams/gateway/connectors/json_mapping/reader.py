"""A payload as drafts, as its mapping says."""

from __future__ import annotations

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.json_mapping.budget import Budget
from streams.gateway.connectors.json_mapping.entry import Asking, Entry
from streams.gateway.connectors.json_mapping.expression import View, expression
from streams.gateway.connectors.json_mapping.findings import EntryFindings
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.connectors.json_mapping.ownership import Ownership
from streams.gateway.connectors.json_mapping.told_event import ToldEvent
from streams.gateway.connectors.reading_json import read_value
from streams.gateway.edge.draft import Draft, Reading
from streams.gateway.log_import.errors import UnusableRow

MAX_BODY_BYTES = 512 * 1024
MAX_ENTRIES = 1_000
_UNITS_AN_EVENT = 10
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
# Of a payload that is one entry these say that it cannot be read; of one among many, that this one is of no use.
_UNREADABLE = {
    "bad_work_item": ("invalid_value", "work_item"),
    "no_time": ("missing_field", "time"),
    "bad_time": ("bad_time", "time"),
    "time_without_zone": ("time_without_zone", "time"),
    "time_out_of_range": ("bad_time", "time"),
}


class PayloadReader:
    """Reads payloads by one mapping, made ready once."""

    def __init__(self, mapping: PayloadMapping) -> None:
        self.mapping = mapping
        self._asking = Asking(mapping)
        self._told = [ToldEvent(mapping, rule, index) for index, rule in enumerate(mapping.events)]
        self._ownership = Ownership(mapping, mapping.role) if mapping.role else None

    def read(self, delivery: Delivery, context: Context, findings: list[EntryFindings] | None = None) -> Reading:
        """What the payload says.

        Args:
            findings: takes up what is to be told about each entry.
        Raises: InvalidEvent: what `read_value` says; `too_complex`: it makes the expressions too much work;
            `too_many_entries` at `items`; for a payload that is one entry: missing_field, bad_time or
            time_without_zone at `time`, invalid_value at `work_item`.
        Cost: 20 µs, and 10 to 50 µs for each event; bounded by 512 KiB, 1,000 entries and a budget of steps.
        """
        whole = read_value(delivery.body, MAX_BODY_BYTES)
        headers: dict[str, object] = {k: v for k, v in delivery.headers.items() if k not in _SECRET_HEADERS}
        budget = Budget()
        drafts: list[Draft] = []
        unused: list[str] = []
        entries = self._entries(View(whole, whole, headers), budget)
        if not entries:
            unused.append("no_items")
        for value in entries:
            told = EntryFindings()
            entry = Entry(self._asking, View(value, whole, headers), context, budget, told)
            found = self._drafts(entry)
            told.events = len(found)
            drafts += found
            unused += told.unused
            if findings is not None:
                findings.append(told)
        return Reading(tuple(drafts), tuple(unused))

    def _entries(self, view: View, budget: Budget) -> list[object]:
        if self.mapping.items is None:
            return [view.whole]
        found = expression(self.mapping.items).find(view, budget)
        entries = found if isinstance(found, list) else [] if found is None else [found]
        if len(entries) > MAX_ENTRIES:
            raise InvalidEvent("too_many_entries", "items")
        return entries

    def _drafts(self, entry: Entry) -> list[Draft]:
        telling = [rule for rule in self._told if rule.true_of(entry)]
        drafts: list[Draft] = []
        for rule in telling:
            entry.findings.rules.append(rule.place)
            try:
                drafts.append(rule.draft(entry))
            except UnusableRow as unusable:
                self._not_used(entry, unusable.code)
        if not telling:
            drafts += self._owned(entry)
        entry.spend(_UNITS_AN_EVENT * len(drafts))
        return drafts

    def _owned(self, entry: Entry) -> list[Draft]:
        if self._ownership is None:
            entry.findings.unused.append("no_rule")
            return []
        try:
            return self._ownership.drafts(entry)
        except UnusableRow as unusable:
            self._not_used(entry, unusable.code)
            return []

    def _not_used(self, entry: Entry, code: str) -> None:
        if self.mapping.items is None and code in _UNREADABLE:
            raise InvalidEvent(*_UNREADABLE[code]) from None
        entry.findings.unused.append(code)
