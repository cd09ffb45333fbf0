"""Which atoms may be shown, in SQL; `streams.inference.atoms` says the same in Python.

Everything that quality views show is made from these fragments. They take the parameter `run`. Asked for live, they
take the atoms of a promoted run where one is shown (promoted_sql); each atom is judged by what its own run promises.
"""

from __future__ import annotations

from sinks.clickhouse.asked_sql import SCOPE, by_period
from sinks.clickhouse.promoted_sql import alone, shown_runs, shown_windows
from sinks.clickhouse.windows_sql import exact_sum

# A process that has no row yet is held to the policy's defaults; no row can loosen the floors.
ENOUGH_PEOPLE = (
    "least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5)"
    " AND largest_share <= if(promised, least(max_share, 0.5), 0.5)"
)
ENOUGH_WORK = "work_items >= if(promised, greatest(min_work_items, 10), 10)"

ATOMS = f"""
SELECT w.*, {ENOUGH_PEOPLE} AS enough_people, enough_people AND {ENOUGH_WORK} AS publishable
FROM (SELECT * FROM tie_windows FINAL WHERE {shown_windows()}) AS w
LEFT JOIN
(
    SELECT run, process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
    FROM processes FINAL WHERE {shown_runs()}
) AS p ON p.run = w.run AND p.process = w.process
WHERE NOT promised OR w.period = kept_period"""
"""The windows that a run shows, each with `enough_people` and `publishable`; `run` is the one it comes from."""

_JUDGED_BY = "communicator_actors, experiencer_actors, largest_share, work_items"


def atoms_where(condition: str, columns: str, wanted: str, run: str = "run") -> str:
    """The windows of `ATOMS` that meet a condition on the key of tie_windows, which is applied before they are read.

    Args:
        condition: on columns of the key only, so that a newer version of a window never fails where an older holds.
        columns: of tie_windows, beside `run`, `process` and `period`.
        wanted: what to select from these columns, `enough_people` and `publishable`.
        run: the parameter that names the asked run.
    """
    windows = f"tie_windows FINAL WHERE {shown_windows(run)} AND {condition}"
    return f"""
SELECT {wanted}
FROM
(
    SELECT w.*, {ENOUGH_PEOPLE} AS enough_people, enough_people AND {ENOUGH_WORK} AS publishable
    FROM (SELECT run, process, period, {columns}, {_JUDGED_BY} FROM {windows}) AS w
    LEFT JOIN
    (
        SELECT run AS of_run, process AS of_process, 1 AS promised, period AS kept_period, min_actors, min_work_items,
            max_share
        FROM processes FINAL WHERE {shown_runs(run)}
    ) AS p ON p.of_run = w.run AND p.of_process = w.process
    WHERE NOT promised OR period = kept_period
)"""


ASKED_TIME = f"period_start >= earliest_from AND period_start >= {by_period('from')} AND period_start <= asked_last_day"


def asked_atoms(columns: str, wanted: str) -> str:
    """The atoms that a view with `ASKED` is about; arguments as for `atoms_where`."""
    return atoms_where(f"{SCOPE} AND {ASKED_TIME}", columns, wanted)


_TIE = "process, dimension, origin, communicator_role, experiencer_role"

PUBLISHABLE_TIES = f"""
WITH {alone()}
SELECT {{run:String}} AS run, {_TIE}, {exact_sum("a.s")} AS s, sum(a.n) AS n, sum(a.work_items) AS items,
    {exact_sum("a.ss")} AS ss, {exact_sum("a.sn")} AS sn, {exact_sum("a.nn")} AS nn
FROM ({ATOMS}) AS a
WHERE publishable
GROUP BY {_TIE}"""
"""What a prior is made from. A work item in two atoms of a tie (two sites, two periods) counts in each."""
