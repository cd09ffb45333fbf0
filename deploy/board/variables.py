"""What can be chosen: the values of a dashboard's variables, and which of them are chosen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.board.choice import Choice, is_all
from deploy.board.store import Answer, Refused
from deploy.dashboards.dashboard import ALL, Variable
from deploy.dashboards.macros import TimeRange, expand

Ask = Callable[[str], Awaitable[Answer]]
"""Answers a statement. Raises: TransientError, Refused."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value, and how people read it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Options:
    """What there is to choose, and what is chosen.

    Attributes:
        of: by variable name.
        chosen: for `deploy.dashboards.macros.expand`: every variable has an entry; `("",)` where there is no value.
    """

    of: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """The chosen values in words."""
        if name not in self.chosen:
            return ""
        values = self.chosen[name]
        if is_all(values):
            return "all"
        labels = {option.value: option.label for option in self.of.get(name, ())}
        return ", ".join(labels.get(value, value) for value in values if value)


async def resolve(variables: Sequence[Variable], choice: Choice, time_range: TimeRange, ask: Ask) -> Options:
    """Ask for the values, those that others depend on first.

    Raises: TransientError: the store is away. A variable whose question is refused has no values.
    """
    found: dict[str, tuple[Option, ...]] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    for level in _levels(variables):
        answers = await asyncio.gather(*(_options(variable, variables, chosen, time_range, ask) for variable in level))
        for variable, options in zip(level, answers, strict=True):
            chosen[variable.name], found[variable.name] = decide(
                variable, options, choice.values.get(variable.name, ())
            )
    return Options(found, chosen)


def decide(
    variable: Variable, options: Sequence[Option], wished: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Option, ...]]:
    """What is chosen, and what can be.

    Where several values, or all, can be chosen, a wish stays although there is no such value now: the last open handoff
    of a role may just have been answered. It reaches the store as quoted text only. A single value must be one of them.
    """
    values = [option.value for option in options]
    if variable.multi or variable.all:
        return _several(variable, options, [value for value in wished if value])
    kept = next((value for value in wished if value in values), None)
    if kept is None:
        kept = variable.default if variable.default in values else next(iter(values), "")
    return (kept,), tuple(options)


def _several(
    variable: Variable, options: Sequence[Option], wished: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Option, ...]]:
    if is_all(wished):
        first = (ALL,) if variable.all or not options else tuple(option.value for option in options[:1])
        return first, tuple(options)
    taken = tuple(wished) if variable.multi else tuple(wished[:1])
    known = {option.value for option in options}
    missing = (Option(value, f"{value} (nothing now)") for value in taken if value not in known)
    return taken, (*options, *missing)


async def _options(
    variable: Variable,
    variables: Sequence[Variable],
    chosen: Mapping[str, tuple[str, ...]],
    time_range: TimeRange,
    ask: Ask,
) -> tuple[Option, ...]:
    try:
        answer = await ask(expand(variable.sql, time_range, variables, chosen))
    except Refused:
        return ()
    rows = [[str(value) for value in row] for row in answer.rows if row and row[0] is not None]
    return tuple(Option(row[0], row[1] if len(row) > 1 else row[0]) for row in rows)


def _levels(variables: Sequence[Variable]) -> list[list[Variable]]:
    """Variables whose questions need no others, then those that need only these, and so on."""
    left = list(variables)
    placed: set[str] = set()
    levels: list[list[Variable]] = []
    while left:
        level = [variable for variable in left if not (_needs(variable, variables) - placed)]
        if not level:
            level = left  # they ask for each other: asked anyway, refused as unknown
        levels.append(level)
        placed |= {variable.name for variable in level}
        left = [variable for variable in left if variable.name not in placed]
    return levels


def _needs(variable: Variable, variables: Sequence[Variable]) -> set[str]:
    mentioned = set(re.findall(r"\$\{?(\w+)", variable.sql))
    return {other.name for other in variables if other.name in mentioned and other.name != variable.name}
