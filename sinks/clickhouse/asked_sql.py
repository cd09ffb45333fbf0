"""What a quality view is asked, as names that every part of its statement may use.

A view starts with `ASKED`. Written out at each place, the same twenty constants would be parsed, computed and carried
through the plan a hundred times (docs/adr/0011-query-cost.md).
"""

from __future__ import annotations

from collections.abc import Mapping

_PERIODS = {"week": ("toMonday", "addDays", 7), "month": ("toStartOfMonth", "addMonths", 1)} | {
    "quarter": ("toStartOfQuarter", "addMonths", 3)
}


def _instant(day: str) -> str:
    return f"toDateTime64({day}, 6, 'UTC')"


def _constants() -> Mapping[str, str]:
    found = {
        "asked_from": "parseDateTime64BestEffort({from:String}, 6, 'UTC')",
        "asked_to": "parseDateTime64BestEffort({to:String}, 6, 'UTC')",
        "asked_last": "asked_to - toIntervalMicrosecond(1)",
        "asked_last_day": "toDate32(asked_last)",
    }
    for period, (first, add, count) in _PERIODS.items():
        found[f"{period}_from"] = f"toDate32({first}(asked_from))"
        found[f"{period}_to"] = f"toDate32({add}({first}(asked_last), {count}))"
    found["earliest_from"] = "least(week_from, quarter_from)"
    found["latest_to"] = "greatest(week_to, quarter_to)"
    bounds = [name for name in found if name.endswith(("_from", "_to")) and not name.startswith("asked")]
    found |= {f"{name}_at": _instant(name) for name in bounds}
    return found | {"any_process": "{process:String} = ''", "any_site": "{site:String} = ''"}


ASKED = "\nWITH " + ",\n    ".join(f"{expression} AS {name}" for name, expression in _constants().items())
"""For week, month and quarter: the first day of the atom that `from` is in (week_from, …) and the day after the one
that the last instant before `to` is in (week_to, …); the widest of these; all of them as instants (week_from_at, …)."""

RUN = "run = {run:String}"
SCOPE = "(any_process OR process = {process:String}) AND (any_site OR site = {site:String}) AND asked_from < asked_to"


def by_period(bound: str) -> str:
    """That bound (`from`, `to`) for the column `period`; a process that says none has months."""
    return f"multiIf(period = 'week', week_{bound}, period = 'quarter', quarter_{bound}, month_{bound})"


def period_end(first: str) -> str:
    """The day after an atom that starts on a day, given the column `period`."""
    return f"if(period = 'week', addDays({first}, 7), addMonths({first}, if(period = 'quarter', 3, 1)))"


def spans(at: str) -> str:
    """Columns in_week, in_month, in_quarter: is the instant in the asked time, for a process with such periods?"""
    return ", ".join(f"{at} >= {period}_from_at AND {at} < {period}_to_at AS in_{period}" for period in _PERIODS)


IN_SPAN = "multiIf(period = 'week', in_week, period = 'quarter', in_quarter, in_month)"
NEARBY = "at >= earliest_from_at AND at < latest_to_at"
"""Of an instant, whatever the process's periods are."""
