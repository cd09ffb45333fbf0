"""SQL with macros and variables, written out as Grafana and its ClickHouse plug-in (4.20) do it.

Two parts, as there: the front end replaces `$__conditionalAll` and the variables; the back end the macros of time. An
alert rule knows the second part only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.dashboards.dashboard import ALL, Variable
from schemas.errors import ConfigError

_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<bare>(?!__)[A-Za-z_]\w*)")
_MACRO = re.compile(r"\$__(?P<name>[A-Za-z_]+)")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class MacroError(ConfigError):
    """A statement of a dashboard uses a macro or variable that does not exist, or in a way that the plug-in refuses.

    Operator action: none; this is a mistake in the definition of a panel.
    """


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What is looked at, and how wide a point is.

    Attributes:
        interval_s: seconds that a point on a time axis stands for.
    """

    start: datetime
    end: datetime
    interval_s: float = 60.0


Chosen = Mapping[str, Sequence[str]]
"""Variable name to its chosen values; `(ALL,)` for all of them."""


def expand(sql: str, time_range: TimeRange, variables: Sequence[Variable] = (), chosen: Chosen | None = None) -> str:
    """The statement as it reaches ClickHouse.

    Raises: MacroError: an unknown macro or variable, or a wrong number of arguments.
    """
    # Grafana puts values in before the back end sees macros; the other way round a value is never taken for a macro.
    written = expand_macros(_without_conditionals(sql, chosen or {}), time_range)
    return interpolate(written, variables, chosen or {})


def interpolate(sql: str, variables: Sequence[Variable], chosen: Chosen) -> str:
    """What Grafana's front end does."""
    by_name = {variable.name: variable for variable in variables}

    def put_in(match: re.Match[str]) -> str:
        name = match["braced"] or match["bare"]
        if name not in by_name or name not in chosen:
            raise MacroError(f"unknown variable: {name}")
        return _formatted(by_name[name], chosen[name], match["format"] or "")

    return _VARIABLE.sub(put_in, _without_conditionals(sql, chosen))


def _without_conditionals(sql: str, chosen: Chosen) -> str:
    macro = "$__conditionalAll"
    while (start := sql.rfind(macro + "(")) >= 0:
        arguments, end = _arguments(sql, start + len(macro))
        if len(arguments) != 2:
            raise MacroError("$__conditionalAll takes a condition and a variable")
        variable = _VARIABLE.fullmatch(arguments[1].strip())
        if variable is None:
            raise MacroError("the second argument of $__conditionalAll is a variable")
        values = list(chosen.get(variable["braced"] or variable["bare"], ()))
        sql = sql[:start] + ("1=1" if values in ([], [""], [ALL]) else arguments[0]) + sql[end:]
    return sql


def _formatted(variable: Variable, values: Sequence[str], style: str) -> str:
    if list(values) == [ALL]:
        if not variable.all_value:
            raise MacroError(f"${variable.name} is 'all' outside of $__conditionalAll")
        return variable.all_value
    if style == "singlequote":
        return ",".join(_quoted(value) for value in values)
    if style:
        raise MacroError(f"${{{variable.name}:{style}}}: only singlequote is used here")
    raise MacroError(
        f"${variable.name} without quotes would let a value become SQL; write ${{{variable.name}:singlequote}}"
    )


def _quoted(value: str) -> str:
    """A ClickHouse string literal. Grafana leaves a backslash as it is; here it stays a backslash too."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def expand_macros(sql: str, time_range: TimeRange) -> str:
    """What the plug-in's back end does."""
    place = 0
    while (match := _MACRO.search(sql, place)) is not None:
        expansion = _MACROS.get(match["name"])
        if expansion is None:
            raise MacroError(f"unknown macro: {match[0]}")
        arguments, end = (
            _arguments(sql, match.end()) if sql[match.end() : match.end() + 1] == "(" else ([], match.end())
        )
        written = expansion(time_range, [argument.strip() for argument in arguments if argument.strip()])
        sql = sql[: match.start()] + written + sql[end:]
        place = match.start() + len(written)
    return sql


def _arguments(sql: str, opening: int) -> tuple[list[str], int]:
    """What stands between the parenthesis at `opening` and the one that closes it, split at its own commas."""
    depth, start = 0, opening + 1
    found: list[str] = []
    for place in range(opening, len(sql)):
        character = sql[place]
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return [*found, sql[start:place]], place + 1
        elif character == "," and depth == 1:
            found.append(sql[start:place])
            start = place + 1
    raise MacroError("a macro's parenthesis is not closed")


Expansion = Callable[[TimeRange, list[str]], str]


def _second(at: datetime) -> str:
    return f"toDateTime({int(at.timestamp() // 1)})"


def _millisecond(at: datetime) -> str:
    return f"fromUnixTimestamp64Milli({round(at.timestamp() * 1000)})"


def _day(at: datetime) -> str:
    return f"toDate('{at.astimezone(UTC):%Y-%m-%d}')"


def _between(point: Callable[[datetime], str]) -> Expansion:
    def expansion(asked: TimeRange, arguments: list[str]) -> str:
        (column,) = _exactly(arguments, 1)
        return f"{column} >= {point(asked.start)} AND {column} <= {point(asked.end)}"

    return expansion


def _time_interval(asked: TimeRange, arguments: list[str]) -> str:
    (column,) = _exactly(arguments, 1)
    return f"toStartOfInterval(toDateTime({column}), INTERVAL {_whole_seconds(asked)} second)"


def _time_group(_asked: TimeRange, arguments: list[str]) -> str:
    column, width = _exactly(arguments, 2)
    match = re.fullmatch(r"'?(\d+)([smhd])'?", width)
    if match is None:
        raise MacroError(f"$__timeGroup: {width} is not a width such as '5m'")
    return f"toStartOfInterval(toDateTime({column}), INTERVAL {int(match[1]) * _UNIT_S[match[2]]} second)"


def _whole_seconds(asked: TimeRange) -> int:
    return max(1, int(asked.interval_s))


def _exactly(arguments: list[str], count: int) -> list[str]:
    if len(arguments) != count:
        raise MacroError(f"a macro takes {count} argument(s), not {len(arguments)}")
    return arguments


_MACROS: dict[str, Expansion] = {
    "timeFilter": _between(_second),
    "timeFilter_ms": _between(_millisecond),
    "dateFilter": _between(_day),
    "fromTime": lambda asked, _: _second(asked.start),
    "toTime": lambda asked, _: _second(asked.end),
    "timeInterval": _time_interval,
    "timeGroup": _time_group,
    "interval_s": lambda asked, _: str(_whole_seconds(asked)),
}
