"""Which atoms may be shown, in SQL; `streams.inference.atoms` says the same in Python.

Everything that quality views show is made from these fragments. They take the parameter `run`.
"""

from __future__ import annotations

from sinks.clickhouse.windows_sql import exact_sum

# A process that has no row yet is held to the policy's defaults; no row can loosen the floors.
_ENOUGH_PEOPLE = (
    "least(communicator_actors, experiencer_actors) >= if(promised, greatest(min_actors, 3), 5)"
    " AND largest_share <= if(promised, least(max_share, 0.5), 0.5)"
)
_ENOUGH_WORK = "work_items >= if(promised, greatest(min_work_items, 10), 10)"

ATOMS = f"""
SELECT w.*, {_ENOUGH_PEOPLE} AS enough_people, enough_people AND {_ENOUGH_WORK} AS publishable
FROM (SELECT * FROM tie_windows FINAL WHERE run = {{run:String}}) AS w
LEFT JOIN
(
    SELECT process, 1 AS promised, period AS kept_period, min_actors, min_work_items, max_share
    FROM processes FINAL WHERE run = {{run:String}}
) AS p ON p.process = w.process
WHERE NOT promised OR w.period = kept_period"""
"""The windows of a run, each with `enough_people` and `publishable`."""

_TIE = "run, process, dimension, origin, communicator_role, experiencer_role"

PUBLISHABLE_TIES = f"""
SELECT {_TIE}, {exact_sum("a.s")} AS s, sum(a.n) AS n, sum(a.work_items) AS items,
    {exact_sum("a.ss")} AS ss, {exact_sum("a.sn")} AS sn, {exact_sum("a.nn")} AS nn
FROM ({ATOMS}) AS a
WHERE publishable
GROUP BY {_TIE}"""
"""What a prior is made from. A work item in two atoms of a tie (two sites, two periods) counts in each."""
