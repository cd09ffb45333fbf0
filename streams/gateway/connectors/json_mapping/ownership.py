"""What an entry says about who owns a work item, by the mapping's `states`."""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from streams.gateway.connectors.json_mapping.conditions import Condition
from streams.gateway.connectors.json_mapping.entry import Entry
from streams.gateway.connectors.json_mapping.identity import entry_id
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping, PayloadRole
from streams.gateway.edge.draft import Draft
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.states import PLACES, VERBS, Reading, reading_of

_VERSION = "order"
"""The field by which the gateway tells an older snapshot from a newer one."""


class Ownership:
    """Reads entries as the log import reads rows, one at a time."""

    def __init__(self, mapping: PayloadMapping, role: PayloadRole) -> None:
        self._mapping, self._role = mapping, role
        self._rules = [(Condition(state.when), reading_of(state.means, state.reason)) for state in mapping.states]
        self._otherwise = reading_of(mapping.otherwise, None)
        means = chain(mapping.otherwise, *(state.means for state in mapping.states))
        self._pauses = "paused" in means

    def drafts(self, entry: Entry) -> list[Draft]:
        """At least one.

        Raises: UnusableRow: no_work_item, ignored, no_role, and whatever `Entry` says.
        """
        work_item = entry.name(self._mapping.work_item.attribute, "work_item")
        if not work_item:
            raise UnusableRow("no_work_item")
        reading = self._reading(entry)
        if not reading.verbs:
            raise UnusableRow("ignored")
        role = entry.role(self._role)
        if not role and self._role.missing == "skip":
            raise UnusableRow("no_role")
        at = entry.time(self._mapping.time)
        if self._pauses:
            reading = _after_a_pause(entry, work_item, at, reading)
        verbs = reading.verbs if role else reading.roleless
        if not verbs:
            raise UnusableRow("no_role")
        return self._said(entry, work_item, at, role, reading, verbs)

    def _reading(self, entry: Entry) -> Reading:
        for index, (condition, reading) in enumerate(self._rules):
            if condition.true_of(entry):
                entry.findings.rules.append(f"states.{index}")
                return reading
        entry.findings.rules.append("otherwise")
        return self._otherwise

    def _said(
        self, entry: Entry, work_item: str, at: datetime, role: str, reading: Reading, verbs: tuple[int, ...]
    ) -> list[Draft]:
        # Not the verbs: with and without a `resumed`, which depends on what was told before, ids are the same.
        identity = entry_id(entry, self._mapping.id, "id", [work_item, at.isoformat(), role, reading.reason])
        actor, site, sequence = entry.actor(self._mapping.actor), entry.site(), entry.sequence()
        drafts = []
        for verb in verbs:
            name = VERBS[verb]
            data = {"role": role} if role else {}
            if name == "paused" and reading.reason:
                data["reason"] = reading.reason
            drafts.append(
                Draft(
                    type=f"tieline.work_item.{name}.v1",
                    id=f"{identity}:{name}",
                    time=at,
                    subject=work_item,
                    data=data,
                    actor=actor,
                    site=site,
                    sequence=sequence * PLACES + verb,
                    process=self._mapping.process or "",
                )
            )
        return drafts


def _after_a_pause(entry: Entry, work_item: str, at: datetime, reading: Reading) -> Reading:
    """As in a log, what follows a pause and does not pause also ends it. What is told late changes nothing."""
    snapshots = entry.context.snapshots
    last = snapshots.last(work_item) or {}
    paused, told = bool(last.get("paused")), last.get(_VERSION)
    if not (paused or reading.pauses) or (isinstance(told, str) and told > at.isoformat()):
        return reading
    snapshots.keep(work_item, {_VERSION: at.isoformat(), "paused": reading.pauses})
    return reading.resuming() if paused and not reading.pauses else reading
