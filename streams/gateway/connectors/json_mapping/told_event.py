"""Events that a payload tells explicitly, by the mapping's `events`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from streams.gateway.connectors.json_mapping.conditions import Condition
from streams.gateway.connectors.json_mapping.contract_field import ContractField, contract_fields
from streams.gateway.connectors.json_mapping.entry import MAX_LISTED, Entry
from streams.gateway.connectors.json_mapping.expression import text_of
from streams.gateway.connectors.json_mapping.identity import entry_id
from streams.gateway.connectors.json_mapping.mapping import DataRef, EventRule, PayloadMapping
from streams.gateway.edge.draft import Draft
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.states import PLACES

MAX_ADDRESSEES = 32
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


class ToldEvent:
    """One rule of `events`, made ready."""

    def __init__(self, mapping: PayloadMapping, rule: EventRule, index: int) -> None:
        self.place = f"events.{index}"
        self._mapping, self._rule, self._index = mapping, rule, index
        self._condition = Condition(rule.when)
        self._fields: Mapping[str, ContractField] = contract_fields(rule.type)

    def true_of(self, entry: Entry) -> bool:
        """Whether the entry tells this event."""
        return self._condition.true_of(entry)

    def draft(self, entry: Entry) -> Draft:
        """The event.

        Raises: UnusableRow: no_work_item, `no_<field>` and `bad_<field>` of what the contract needs, and what `Entry`
            says. What it does not need is left out where it is not what the contract takes, and counted.
        """
        rule, mapping = self._rule, self._mapping
        work_item = entry.name(rule.work_item or mapping.work_item.attribute, "work_item")
        if not work_item:
            raise UnusableRow("no_work_item")
        at = entry.time(rule.time or mapping.time)
        data = self._data(entry)
        noun, verb = rule.type.split(".")[1:3]
        used: list[object] = [rule.type, work_item, at.isoformat(), data]
        identity = entry_id(entry, rule.id or mapping.id, f"{self.place}.id", used)
        return Draft(
            type=rule.type,
            id=f"{identity}:{noun}.{verb}",
            time=at,
            subject=work_item,
            data=data,
            actor=entry.actor(rule.actor or mapping.actor),
            site=entry.site(),
            sequence=entry.sequence() * PLACES + min(self._index, PLACES - 1),
            text=entry.free_text(rule.text) if rule.text else "",
            process=mapping.process or "",
        )

    def _data(self, entry: Entry) -> dict[str, object]:
        data: dict[str, object] = {}
        for name, ref in self._rule.data.items():
            found = self._field(entry, name, ref)
            if found is not None:
                data[name] = found
        if self._rule.elements:
            data["elements"] = {
                name: _is_there(entry.value(text, f"{self.place}.elements.{name}"))
                for name, text in self._rule.elements.items()
            }
        return data

    def _field(self, entry: Entry, name: str, ref: DataRef) -> object:
        field = self._fields[name]
        needed = field.required and not (self._rule.text and name == "kind")
        try:
            found = self._read(entry, name, ref, field)
        except UnusableRow as unusable:
            if needed:
                raise
            entry.findings.unused.append(unusable.code)
            return None
        if found is None and needed:
            raise UnusableRow(f"no_{name}")
        return found

    def _read(self, entry: Entry, name: str, ref: DataRef, field: ContractField) -> object:
        """A JSON value that the contract takes, or None for nothing. Raises: UnusableRow: `bad_<field>`."""
        if ref.attribute is None:
            return [ref.value] if field.kind == "roles" else ref.value
        found = _translated(ref, entry.value(ref.attribute, f"{self.place}.data.{name}"))
        value = _as_kind(entry, name, ref, field, found)
        entry.spend(2)
        if value is not None and field.kind != "id" and not field.takes(value):
            raise UnusableRow(f"bad_{name}")
        return value


def _as_kind(entry: Entry, name: str, ref: DataRef, field: ContractField, found: object) -> object:
    if field.kind == "roles":
        return _roles(entry, name, ref, found)
    if field.kind == "number":
        return _number(found)
    text = entry.plain(text_of(found), name)
    if not text:
        return None
    if field.kind == "role":
        return entry.role_of(ref.kind or "group", text) or None
    if field.kind == "time":
        return _time(entry, name, text)
    return _FLAGS.get(text.lower(), text) if field.kind == "flag" else text


def _translated(ref: DataRef, found: object) -> object:
    if isinstance(found, list):
        return [_translated(ref, part) for part in found[:MAX_LISTED]]
    text = text_of(found)
    if text in ref.values:
        return ref.values[text]
    return ref.otherwise if ref.otherwise is not None and text else found


def _roles(entry: Entry, name: str, ref: DataRef, found: object) -> list[str] | None:
    parts = found[:MAX_ADDRESSEES] if isinstance(found, list) else [found]
    names = [entry.plain(text_of(part), name) for part in parts]
    roles = [role for one in names if (role := entry.role_of(ref.kind or "group", one))]
    return sorted(set(roles)) or None


def _time(entry: Entry, name: str, text: str) -> str:
    try:
        return entry.asking.any_time(text).isoformat()
    except UnusableRow:
        raise UnusableRow(f"bad_{name}") from None


def _number(found: object) -> int | float | None:
    if isinstance(found, int | float) and not isinstance(found, bool):
        return found
    with suppress(ValueError):
        return float(text_of(found)[:32])
    return None


def _is_there(found: object) -> bool:
    return found is not False and found not in (None, "", [], {})
