"""Builders of small logs and mappings. Times of rows are minutes after 08:00 UTC on 2026-01-05."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import yaml

from streams.gateway.actors import ActorKey
from streams.gateway.log_import import LogImport, LogUnreadable, Mapped, Mapping, Skipped, parse_mapping

KEY = ActorKey("test", bytes(range(32)))
T0 = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

XES = """
process: incident
role: team
actor: {attribute: who, systems: [robot*], bots: [chatbot]}
states:
  - {when: {status: Wait*}, means: paused, reason: wait}
  - {when: {status: Done}, means: [working, closed]}
  - {when: {status: Work}, means: working}
  - {when: {status: Noise}, means: ignore}
  - {when: {status: Back}, means: reopened}
"""
CSV = XES + "work_item: ticket\ntime: at\n"


class Outcome(NamedTuple):
    """Everything an import said."""

    log: LogImport
    events: list[Mapped]
    skipped: list[Skipped]

    def said(self) -> list[tuple[str, str]]:
        """(subject, verb) of each event, in the order in which they came."""
        return [(one.event.subject, one.type.split(".")[2]) for one in self.events]

    def data(self, index: int) -> Any:
        """The payload of one event."""
        return self.events[index].event.data

    def verbs(self) -> list[str]:
        return [verb for _, verb in self.said()]

    def reasons(self) -> list[str]:
        return [one.reason for one in self.skipped]


def stamp(minutes: float) -> str:
    return (T0 + timedelta(minutes=minutes)).isoformat()


def event(
    minutes: float = 0, team: str | None = "A", status: str = "Work", who: str | None = "Ann", **more: str
) -> str:
    """One XES event; None leaves an attribute out."""
    named = {"team": team, "status": status, "who": who, **more}
    attributes = [f"<string key={quoteattr(k)} value={quoteattr(v)}/>" for k, v in named.items() if v is not None]
    return f'<event><date key="time:timestamp" value="{stamp(minutes)}"/>{"".join(attributes)}</event>'


def trace(name: str, *events: str) -> str:
    return f'<trace><string key="concept:name" value={quoteattr(name)}/>{"".join(events)}</trace>'


def xes(*traces: str) -> str:
    return f'<?xml version="1.0"?>\n<log xmlns="http://www.xes-standard.org/">\n{chr(10).join(traces)}\n</log>'


def csv_log(*rows: str, header: str = "ticket,at,team,status,who") -> str:
    return "\n".join([header, *rows]) + "\n"


def csv_row(ticket: str, minutes: float, team: str = "A", status: str = "Work", who: str = "Ann") -> str:
    return ",".join([ticket, stamp(minutes), team, status, who])


def written(folder: Path, content: str | bytes, name: str) -> Path:
    """The log as a file; packed if the name ends in .gz."""
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def mapping(text: str = XES, **changes: Any) -> Mapping:
    """The mapping with some top-level fields replaced; None takes one away."""
    fields = {**yaml.safe_load(text), **changes}
    return parse_mapping(json.dumps({name: value for name, value in fields.items() if value is not None}))


def run(log: LogImport) -> Outcome:
    """Everything, to the end."""
    events: list[Mapped] = []
    skipped: list[Skipped] = []
    for outcome in log:
        if isinstance(outcome, Skipped):
            skipped.append(outcome)
        else:
            events.append(outcome)
    return Outcome(log, events, skipped)


def run_broken(path: Path, rules: Mapping) -> tuple[int, LogUnreadable]:
    """How many events came before the log could not be read any further, and what was said then."""
    mapped = 0
    try:
        for outcome in LogImport(path, rules, actor_key=KEY):
            mapped += isinstance(outcome, Mapped)
    except LogUnreadable as error:
        return mapped, error
    raise AssertionError("the log was readable to its end")


def run_xes(folder: Path, *traces: str, rules: Mapping | None = None, name: str = "log.xes") -> Outcome:
    return run(LogImport(written(folder, xes(*traces), name), rules or mapping(), actor_key=KEY))


def run_csv(folder: Path, content: str | bytes, rules: Mapping | None = None, name: str = "log.csv") -> Outcome:
    return run(LogImport(written(folder, content, name), rules or mapping(CSV), actor_key=KEY))
