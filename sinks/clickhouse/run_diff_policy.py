"""In which lines the policies of two runs differ, for the work items of one process. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas.policy import ANY, InForce, PolicyBook
from schemas.vocabulary import LATEST, RULE_DIMENSION
from sinks.clickhouse.run_policy import plain

ALL_RULES = tuple(RULE_DIMENSION)
_DUE_RULES = ("handoff_acceptance", "reply", "problem_response")
_HANDOFF_RULES = ("handoff_acceptance", "handoff_offer", "handoff_accuracy", "handoff_advanced", "contact")
_GOVERNED: Mapping[str, tuple[str, ...]] = {
    "targets.accept_s": ("handoff_acceptance",),
    "targets.reply_s": ("reply",),
    "targets.respond_s": ("problem_response",),
    "pauses": _DUE_RULES,
    "calendars": _DUE_RULES,
    "routers": ("handoff_advanced",),
    "settle_s": ("handoff_accuracy", "handoff_advanced", "message_accuracy", "contact"),
    "skew_tolerance_s": _HANDOFF_RULES,
    "contact_band": ("contact",),
    "required_elements": (),
    "publish": (),
    "roles": (),
    "linger_s": (),
    "period": ALL_RULES,
    "aliases": ALL_RULES,
}
"""Rules whose evidence a part of the policy can touch; `observes` names them itself."""
_UNSET = object()
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


class PolicyLine(NamedTuple):
    """One line that differs.

    Attributes:
        path: as it stands in a policy file, such as `processes.incident.targets.accept_s.default`.
        a, b: its value in either run, as JSON; empty where it is not set.
        since, until: it differs for work items whose first event is in that time, half-open; None is without end.
        rules: whose evidence it can touch; none: it touches no evidence.
        role: only where this role is the communicator; empty: any.
    """

    process: str
    path: str
    a: str
    b: str
    since: datetime | None
    until: datetime | None
    rules: tuple[str, ...]
    role: str = ""

    def governs(self, rule: str, communicator_role: str) -> bool:
        """Whether evidence of that rule and communicator can differ because of this line."""
        return rule in self.rules and self.role in ("", communicator_role)


def policy_lines(a: PolicyBook, b: PolicyBook, process: str) -> list[PolicyLine]:
    """The lines that differ for a process, by path and time. Names and starts of versions are no lines."""
    starts = sorted({policy.effective_from for book in (a, b) for policy in book.policies})
    if starts and all(book.policies and book.policies[0].effective_from == starts[0] for book in (a, b)):
        starts = starts[1:]  # before that there is no policy in either
    found = []
    for since, until in zip([None, *starts], [*starts, None], strict=True):
        at = since or (until - _INSTANT if until else LATEST)
        one, other = (dict(_leaves(_parts(book.in_force(process, at)))) for book in (a, b))
        for path in sorted(one.keys() | other.keys()):
            values = one.get(path, _UNSET), other.get(path, _UNSET)
            if values[0] != values[1]:
                found.append(_line(process, path, values, since, until))
    return _joined(found)


def _line(
    process: str, path: str, values: tuple[Any, Any], since: datetime | None, until: datetime | None
) -> PolicyLine:
    part, _, rest = path.partition(".")
    role = rest if part == "calendars" and rest != ANY else ""
    shown = {"hours": f"calendars.{rest}", "aliases": path}.get(part, f"processes.{process}.{path}")
    a, b = (_text(value) for value in values)
    return PolicyLine(process, shown, a, b, since, until, _governed(path, values), role)


def _governed(path: str, values: tuple[Any, Any]) -> tuple[str, ...]:
    if path.startswith("observes."):
        one, other = (set(value) if isinstance(value, list) else set() for value in values)
        return tuple(rule for rule in ALL_RULES if rule in one ^ other)
    if path.startswith("hours."):
        return _DUE_RULES
    return next((rules for part, rules in _GOVERNED.items() if f"{path}.".startswith(f"{part}.")), ALL_RULES)


def _parts(policy: InForce) -> dict[str, Any]:
    """What decides about a work item, with the calendars that its process uses and the policy's aliases."""
    found: dict[str, Any] = plain(policy.process)
    used = {name: plain(policy.calendars[name]) for name in set(policy.process.calendars.values())}
    observes: dict[str, list[str]] = {}
    for entry in found["observes"]:
        observes[entry["source"]] = sorted({*observes.get(entry["source"], []), *entry["rules"]})
    return found | {"observes": observes, "hours": used, "aliases": dict(policy.aliases)}


def _leaves(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, part


def _joined(lines: list[PolicyLine]) -> list[PolicyLine]:
    """Lines that say the same in spans that follow one another become one."""
    same = sorted(lines, key=lambda line: (line.path, line.a, line.b, line.since or _BEGINNING))
    found: list[PolicyLine] = []
    for line in same:
        last = found[-1] if found else None
        if last and last.until == line.since and _undated(last) == _undated(line):
            found[-1] = last._replace(until=line.until)
        else:
            found.append(line)
    return sorted(found, key=lambda line: (line.path, line.since or _BEGINNING))


def _undated(line: PolicyLine) -> PolicyLine:
    return line._replace(since=None, until=None)


def _text(value: Any) -> str:
    return "" if value is _UNSET else json.dumps(value, sort_keys=True)
