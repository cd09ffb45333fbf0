"""Which run an atom is taken from, in SQL: asked for `live`, views show a promoted run where one is promoted.

At most one run is shown as live in one period of a process; asked for any other run, a view shows that run alone. All
conditions are on the run, the process and a day, which no later version of a row changes.

While nothing is promoted, `run_alone` is a constant and every condition folds to `run = …` before anything is read.
Cost: docs/adr/0023-runs-and-promotion.md
"""

from __future__ import annotations

LIVE = "live"
_PROMOTED = "promotions FINAL WHERE run != ''"


def alone(asked: str = "run") -> str:
    """What follows WITH, for all conditions below: the runs that the asked one shows too, and that there are none.

    Args:
        asked: the parameter that names the asked run.
    """
    promoted = f"(SELECT groupUniqArray(run) FROM {_PROMOTED} AND {{{asked}:String}} = '{LIVE}')"
    return f"{promoted} AS {asked}_promoted, empty({asked}_promoted) AS {asked}_alone"


def shown_runs(asked: str = "run") -> str:
    """The runs that the asked one stands for: a condition on the column `run`."""
    return f"(run = {{{asked}:String}} OR NOT {asked}_alone AND has({asked}_promoted, run))"


def shown_windows(asked: str = "run") -> str:
    """A condition on the key of tie_windows: of the runs that the asked one stands for, each where it is shown."""
    return f"{shown_runs(asked)} AND {_shown('period_start', 'period_start', asked)}"


def shown_episodes(at: str, asked: str = "run") -> str:
    """The same for an instant, whatever the periods of its process are."""
    days = "arrayMap(day -> addDays(period_start, day), range(toUInt32(dateDiff('day', period_start, period_end))))"
    return f"{shown_runs(asked)} AND {_shown(f'toDate32({at})', f'arrayJoin({days})', asked)}"


def as_of_by_run(instant: str) -> str:
    """A scalar: a map from each run that the asked one stands for to its as_of, where it has one.

    Args:
        instant: what to make of the column `as_of`.
    """
    return f"""(SELECT mapFromArrays(groupArray(run), groupArray({instant})) FROM runs FINAL
    WHERE isNotNull(as_of) AND {shown_runs()})"""


def _shown(day: str, promoted_day: str, asked: str) -> str:
    # What is promoted is listed with its run and with live: there the one is shown, and not the other.
    listed = f"SELECT arrayJoin([toString(run), '{LIVE}']), process, {promoted_day} FROM {_PROMOTED}"
    return f"({asked}_alone OR (run = '{LIVE}') != ((run, process, {day}) IN ({listed})))"


_IN_ASKED_TIME = "period_start <= asked_last_day AND period_end > toDate32(asked_from)"
PROMISED = f"""(SELECT mapFromArrays(groupArray(process), groupArray(promised)) FROM
    (
        SELECT process, (any(period), groupUniqArrayArray(observed_rules)) AS promised
        FROM processes FINAL
        WHERE run = {{run:String}}
            OR NOT run_alone AND (run, process) IN (SELECT run, process FROM {_PROMOTED} AND {_IN_ASKED_TIME})
        GROUP BY process
    )) AS promised_of"""
"""What follows WITH: a map from a process to its period and to the rules that the asked run observes, or one that is
shown for it in the asked time. For a view with `ASKED` and `alone`."""
