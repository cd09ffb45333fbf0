"""Two runs side by side: what differs, by how much, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from deploy.composition.runs import RunRefused, one_run
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.run_diff import (
    Asked,
    EventCounts,
    Figures,
    RowCounts,
    Rows,
    TieKey,
    compare_events,
    compare_rows,
    figures,
    one_sided_events,
)
from sinks.clickhouse.run_diff_policy import PolicyLine, policy_lines
from sinks.clickhouse.run_policy import policy_book

_SETTINGS = ("as_of", "method_version", "source", "role", "processes", "from_at", "to_at", "events", "work_items")
_EXPLAINING = ("as_of", "method_version", "role", "processes", "from_at", "to_at")
"""Settings that may change what is said of the same events."""
MOST_EVENTS = 1000
NO_EVENTS = EventCounts()


class Setting(NamedTuple):
    """Something that was not the same when the two runs were made."""

    name: str
    a: str
    b: str


class LineEffect(NamedTuple):
    """A policy line that differs, and the evidence that differs and is governed by it."""

    line: PolicyLine
    rows: int
    ties: tuple[TieKey, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One tie and dimension in which the runs differ.

    Attributes:
        rules: rows of evidence by rule.
        lines: numbers, from 1, of the policy lines that may be why.
        why: in words: those lines, events that only one run has met, other settings; or that nothing explains it.
    """

    tie: TieKey
    figures: Figures
    rules: Mapping[str, RowCounts] = field(default_factory=dict)
    events: EventCounts = NO_EVENTS
    lines: tuple[int, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def rows(self) -> RowCounts:
        """Of all rules."""
        total = RowCounts()
        for counts in self.rules.values():
            total = total.plus(counts)
        return total


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What a diff says. Ties are in alphabetical order.

    Attributes:
        policies_known: whether both runs have written down their policy.
        changed: figures or evidence differ; same: neither does; not_in_both: no period may be shown in both runs.
        events: process, run and id of events that only one run has met, if they were asked for.
    """

    a: RunRecord
    b: RunRecord
    asked: Asked
    settings: Sequence[Setting]
    policies_known: bool
    lines: Sequence[LineEffect]
    changed: Sequence[Difference]
    same: Sequence[TieKey]
    not_in_both: Sequence[TieKey]
    events: Sequence[tuple[str, str, str]] = ()

    @property
    def unfinished(self) -> list[str]:
        """Replays that were not finished when they were compared."""
        return [run.run for run in (self.a, self.b) if run.kind == "replay" and run.status != "finished"]


def diff_runs(
    client: Client, asked: Asked, *, events: bool = False, told: Callable[[int, int], None] = lambda done, of: None
) -> RunDiff:
    """Compares two runs.

    Args:
        events: list the ids of events that only one run has met: for auditors.
        told: pieces that are done, and all of them.
    Raises: RunRefused: one of the runs does not exist, both are one, or neither has the process.
    """
    if asked.a == asked.b:
        raise RunRefused(f"{asked.a!r} is the same run twice")
    a, b = one_run(client, asked.a).record, one_run(client, asked.b).record
    _require_process(client, asked)
    shown, rows, met = figures(client, asked), compare_rows(client, asked, told), compare_events(client, asked)
    lines = _lines(a, b, {key.process for key in shown})
    settings = _settings(a, b)
    differing = [
        Difference(key, shown[key], rows.get(key, {}), met.get(key, NO_EVENTS))
        for key in sorted(shown)
        if shown[key].periods and _differs(shown[key], rows.get(key, {}))
    ]
    changed = [_explained(each, lines, settings, (a.run, b.run)) for each in differing]
    names = {each.tie for each in changed}
    return RunDiff(
        a=a,
        b=b,
        asked=asked,
        settings=settings,
        policies_known=bool(a.policy and b.policy),
        lines=[_effect(line, rows) for line in lines],
        changed=changed,
        same=[key for key in sorted(shown) if shown[key].periods and key not in names],
        not_in_both=[key for key in sorted(shown) if not shown[key].periods],
        events=one_sided_events(client, asked, MOST_EVENTS)[:MOST_EVENTS] if events else (),
    )


def _require_process(client: Client, asked: Asked) -> None:
    sql = "SELECT DISTINCT process FROM processes FINAL WHERE run IN ({run:String}, {compare:String})"
    known = {row[0] for row in client.query(sql, parameters=asked.parameters()).result_rows}
    if asked.process and asked.process not in known:
        raise RunRefused(f"neither run has a process {asked.process!r}")


def _settings(a: RunRecord, b: RunRecord) -> list[Setting]:
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in _SETTINGS]
    return [Setting(name, _text(one), _text(other)) for name, one, other in pairs if one != other]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def _lines(a: RunRecord, b: RunRecord, processes: Iterable[str]) -> list[PolicyLine]:
    if not (a.policy and b.policy):
        return []
    one, other = policy_book(a.policy), policy_book(b.policy)
    return [line for process in sorted(processes) for line in policy_lines(one, other, process)]


def _differs(shown: Figures, rules: Mapping[str, RowCounts]) -> bool:
    figures_differ = (shown.n_a, shown.value_a) != (shown.n_b, shown.value_b)
    return figures_differ or any(counts.differing for counts in rules.values())


def _governed(line: PolicyLine, key: TieKey, rules: Mapping[str, RowCounts]) -> int:
    """Rows of a tie that differ and that the line governs."""
    if line.process != key.process:
        return 0
    roles = {key.communicator_role} if key.dimension != "frequency" else {key.communicator_role, key.experiencer_role}
    return sum(counts.differing for rule, counts in rules.items() if any(line.governs(rule, role) for role in roles))


def _effect(line: PolicyLine, rows: Rows) -> LineEffect:
    touched = {key: count for key, rules in rows.items() if (count := _governed(line, key, rules))}
    return LineEffect(line, sum(touched.values()), tuple(sorted(touched)))


def _explained(
    each: Difference, lines: Sequence[PolicyLine], settings: Sequence[Setting], names: tuple[str, str]
) -> Difference:
    numbers = tuple(number for number, line in enumerate(lines, 1) if _governed(line, each.tie, each.rules))
    why = [f"policy line {number}: {line_text(lines[number - 1])}" for number in numbers]
    for run, count in zip(names, each.events, strict=True):
        why += [f"{count:,} events that only {run} has met"] if count else []
    other = [setting for setting in settings if setting.name in _EXPLAINING]
    why += [f"{setting.name}: {setting.a or 'none'} → {setting.b or 'none'}" for setting in other]
    if not each.rows.differing:
        why = ["the evidence is the same: the sums of one run are out of date"]
    return Difference(each.tie, each.figures, each.rules, each.events, numbers, tuple(why or ["not explained"]))


def line_text(line: PolicyLine) -> str:
    """A line that differs, in one line."""
    since = f" from {line.since:%Y-%m-%d}" if line.since else ""
    until = f" until {line.until:%Y-%m-%d}" if line.until else ""
    when = f" (work items that begin{since}{until})" if since or until else ""
    return f"{line.path}: {line.a or 'not set'} → {line.b or 'not set'}{when}"
