"""The quality views, written from the method's formulas and the publishing rule.

`python -m sinks.clickhouse.quality_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

from schemas.vocabulary import DIMENSIONS, INFERRED_RULES, RULE_DIMENSION
from sinks.clickhouse.estimate_sql import estimate_sql, interval_sql
from sinks.clickhouse.publish_sql import ATOMS
from sinks.clickhouse.windows_sql import exact_sum

_ASKED = (
    "run = {run:String}, `from` = {from:String}, `to` = {to:String}, process = {process:String}, site = {site:String}"
)
_FROM = "parseDateTime64BestEffort({from:String}, 6, 'UTC')"
_TO = "parseDateTime64BestEffort({to:String}, 6, 'UTC')"
_TIE = "process, origin, communicator_role, experiencer_role"
_DIMENSION_LIST = ", ".join(f"'{dimension}'" for dimension in DIMENSIONS)
_HEADER = "-- Written by `python -m sinks.clickhouse.quality_views`: see there for what it means.\n"


def _period_start(at: str) -> str:
    """First day of the atom that an instant falls in, given the column `period`. Weeks start on Monday."""
    other = f"if(period = 'quarter', toStartOfQuarter({at}), toStartOfMonth({at}))"
    return f"toDate32(if(period = 'week', toMonday({at}), {other}))"


def _period_end(first: str) -> str:
    return f"if(period = 'week', addDays({first}, 7), addMonths({first}, if(period = 'quarter', 3, 1)))"


_CHOSEN_ATOMS = f"""
SELECT * FROM ({ATOMS})
WHERE {_FROM} < {_TO} AND period_start >= {_period_start(_FROM)} AND toDateTime64(period_start, 6, 'UTC') < {_TO}
    AND {{process:String}} IN ('', process) AND {{site:String}} IN ('', site)"""

# What is stored once for an unordered pair is shown on both directions.
_DIRECTED_ATOMS = f"""
SELECT *, arrayJoin(if(dimension = 'frequency' AND communicator_role != experiencer_role,
        [(communicator_role, experiencer_role), (experiencer_role, communicator_role)],
        [(communicator_role, experiencer_role)])) AS direction
FROM ({_CHOSEN_ATOMS})"""

_TIE_SUMS = f"""
SELECT a.process AS process, a.origin AS origin, a.direction.1 AS communicator_role, a.direction.2 AS experiencer_role,
    a.dimension AS dimension, 1 AS found,
    countIf(a.publishable) AS shown_atoms, countIf(a.n > 0 AND NOT a.enough_people) AS peopled_too_thinly,
    {exact_sum("a.s", "a.publishable")} AS s,
    sumIf(a.n, a.publishable) AS n, sumIf(a.pending, a.publishable) AS pending,
    sumIf(a.work_items, a.publishable) AS work_items, sum(a.work_items) AS all_work_items,
    sumMapIf(a.n_by_rule, a.publishable) AS n_by_rule
FROM ({_DIRECTED_ATOMS}) AS a
GROUP BY process, origin, communicator_role, experiencer_role, dimension"""


def _named_in(table: str, to_roles: str, at: str, origin: str) -> str:
    # The bounds that do not know the process's period leave out months cheaply; the exact ones follow.
    return f"""
SELECT DISTINCT process, {origin} AS origin, from_role, {to_roles} AS to_role,
    toStartOfMonth({at}) AS month, toMonday({at}) AS monday
FROM {table} FINAL
WHERE run = {{run:String}} AND {{process:String}} IN ('', process) AND {{site:String}} IN ('', site)
    AND {at} >= least(toMonday({_FROM}), toStartOfQuarter({_FROM}))
    AND {at} < addMonths(toStartOfQuarter({_TO}), 4)"""


_NAMED = f"""
SELECT process, origin, from_role, to_role
FROM
(
    SELECT named.*, ifNull(nullIf(p.period, ''), 'month') AS period
    FROM
    (
        {_named_in("handoffs", "to_role", "offered_at", "toString(origin)")}
        UNION ALL
        {_named_in("exchanges", "arrayJoin(to_roles)", "sent_at", "'explicit'")}
        UNION ALL
        {_named_in("problems", "arrayJoin(to_roles)", "raised_at", "'explicit'")}
    ) AS named
    LEFT JOIN (SELECT process, period FROM processes FINAL WHERE run = {{run:String}}) AS p ON p.process = named.process
)
WHERE multiIf(
        period = 'week', monday BETWEEN toMonday({_FROM}) AND toMonday({_TO} - toIntervalMicrosecond(1)),
        period = 'quarter', toStartOfQuarter(month) BETWEEN
            toStartOfQuarter({_FROM}) AND toStartOfQuarter({_TO} - toIntervalMicrosecond(1)),
        month BETWEEN toStartOfMonth({_FROM}) AND toStartOfMonth({_TO} - toIntervalMicrosecond(1)))
    AND {_FROM} < {_TO}
UNION ALL
SELECT process, origin, communicator_role, experiencer_role FROM ({_CHOSEN_ATOMS})"""

_TIES = f"""
SELECT DISTINCT process, origin, direction.1 AS communicator_role, direction.2 AS experiencer_role
FROM (SELECT *, arrayJoin([(from_role, to_role), (to_role, from_role)]) AS direction FROM ({_NAMED}))
WHERE from_role != '' AND to_role != ''"""


def _dimensions_of(rules: list[str]) -> str:
    names = ", ".join(f"'{rule}'" for rule in rules)
    dimensions = ", ".join(f"'{RULE_DIMENSION[rule]}'" for rule in rules)  # type: ignore[index]  # rules are its keys
    return f"transform(toString(rule), [{names}], [{dimensions}], '')"


_ALL_RULES = [str(rule) for rule in RULE_DIMENSION]
_DECLARED = f"""
SELECT process, period,
    arrayDistinct(arrayMap(rule -> {_dimensions_of(_ALL_RULES)}, observed_rules)) AS explicit_dimensions,
    arrayDistinct(arrayMap(rule -> {_dimensions_of(sorted(INFERRED_RULES))}, observed_rules)) AS inferred_dimensions
FROM processes FINAL WHERE run = {{run:String}}"""

_STATUS = """multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, 'hidden: too few people',
        'not enough data')"""

_JUDGED = f"""
SELECT t.process AS process, t.origin AS origin, t.communicator_role AS communicator_role,
    t.experiencer_role AS experiencer_role, t.dimension AS dimension,
    a.found AS found, a.shown_atoms AS shown_atoms, a.peopled_too_thinly AS peopled_too_thinly, a.s AS s, a.n AS n,
    a.pending AS pending, a.work_items AS work_items, a.all_work_items AS all_work_items, a.n_by_rule AS n_by_rule,
    has(if(t.origin = 'inferred', d.inferred_dimensions, d.explicit_dimensions), t.dimension) AS declared,
    if(d.period = '', 'month', d.period) AS period, {_STATUS} AS status
FROM (SELECT *, arrayJoin([{_DIMENSION_LIST}]) AS dimension FROM ({_TIES})) AS t
LEFT JOIN ({_TIE_SUMS}) AS a ON a.process = t.process AND a.origin = t.origin
    AND a.communicator_role = t.communicator_role AND a.experiencer_role = t.experiencer_role
    AND a.dimension = t.dimension
LEFT JOIN ({_DECLARED}) AS d ON d.process = t.process"""

_WITH_PRIOR = f"""
SELECT j.*, q.mu AS mu, q.tau2 AS tau2, q.phi AS phi, q.k AS k, q.n_eff AS n_eff
FROM ({_JUDGED}) AS j
LEFT JOIN (SELECT * FROM priors FINAL WHERE run = {{run:String}}) AS q
    ON q.process = j.process AND q.dimension = j.dimension AND q.origin = j.origin"""

_FIGURE_COLUMNS = (
    *("process", "origin", "communicator_role", "experiencer_role", "dimension", "period", "declared", "status"),
    *("n", "pending", "work_items", "all_work_items", "n_by_rule"),
)

_PACKED = f"""
SELECT tuple({", ".join(_FIGURE_COLUMNS)}) AS kept, s, n, mu, tau2, phi, k, n_eff FROM ({_WITH_PRIOR})"""
_UNPACKED = ", ".join(f"kept.{place} AS {column}" for place, column in enumerate(_FIGURE_COLUMNS, 1))

# Packed in one column, the rest of a row costs the twenty steps of the estimate nothing to plan.
TIE_FIGURES = f"""
SELECT {_UNPACKED}, estimate, low, high, variance
FROM ({estimate_sql(f"({_PACKED})", ["kept"])})
SETTINGS join_use_nulls = 0"""
"""The source of the views below, granted to nobody: it has the variance, and figures on rows that don't show them."""


def _if_shown(*columns: str) -> str:
    return ", ".join(f"if(f.status = 'shown', f.{column}, NULL) AS {column}" for column in columns)


TIES = f"""
SELECT process, communicator_role, experiencer_role, dimension, origin,
    {_if_shown("n", "pending", "estimate", "low", "high")}, status, {_if_shown("work_items")},
    if(f.status = 'shown', f.n_by_rule, CAST(map(), 'Map(String, UInt64)')) AS n_by_rule,
    if(all_work_items = 0, NULL,
        intDiv(20 * (all_work_items - f.work_items) + all_work_items, 2 * all_work_items) / 10) AS hidden_share,
    {_period_start(_FROM)} AS period_from,
    {_period_end(_period_start(f"({_TO} - toIntervalMicrosecond(1))"))} AS period_to
FROM tie_figures({_ASKED}) AS f
ORDER BY process, communicator_role, experiencer_role, origin, indexOf([{_DIMENSION_LIST}], dimension)"""

_DECLARED_FIGURES = f"""
SELECT {_TIE}, dimensions,
    multiIf(wanted = 0, 'not observed', hidden > 0, 'hidden: too few people', shown < wanted, 'not enough data',
        'shown') AS verdict,
    if(verdict = 'shown', arraySum(arrayMap(part -> part.2, parts)) / wanted, 0.5) AS mean,
    if(verdict = 'shown', pow(arraySum(arrayMap(part -> part.3, parts)) / wanted, 2), 0.05) AS spread
FROM
(
    SELECT {_TIE}, arraySort(groupArrayIf((dimension, estimate, sqrt(variance)), declared)) AS parts,
        arraySort(groupArrayIf(dimension, declared)) AS dimensions, countIf(declared) AS wanted,
        countIf(declared AND status = 'shown') AS shown, countIf(declared AND startsWith(status, 'hidden')) AS hidden
    FROM tie_figures({_ASKED})
    GROUP BY {_TIE}
)"""

_OVERALL_KEEP = ("process", "communicator_role", "experiencer_role", "origin", "dimensions", "verdict", "mean")
OVERALL = f"""
SELECT process, communicator_role, experiencer_role, origin, dimensions, verdict AS status,
    if(verdict = 'shown', mean, NULL) AS estimate, if(verdict = 'shown', o.low, NULL) AS low,
    if(verdict = 'shown', o.high, NULL) AS high
FROM ({interval_sql(f"({_DECLARED_FIGURES})", _OVERALL_KEEP, {"e": "mean", "variance": "spread"})}) AS o
ORDER BY process, communicator_role, experiencer_role, origin"""

TIE_PERIODS = f"""
SELECT process, site, direction.1 AS communicator_role, direction.2 AS experiencer_role, dimension, origin,
    period, period_start, {_period_end("period_start")} AS period_end,
    s / n AS value, s, n, pending, work_items, n_by_rule
FROM ({_DIRECTED_ATOMS})
WHERE publishable
ORDER BY process, site, communicator_role, experiencer_role, dimension, origin, period_start
SETTINGS join_use_nulls = 0"""

QUALITY_VIEWS: dict[str, str] = {
    "tie_figures": TIE_FIGURES,
    "ties": TIES,
    "overall": OVERALL,
    "tie_periods": TIE_PERIODS,
}
"""Name to SELECT, in the order of creation."""


def create_view(name: str, select: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS{select}"


def migration() -> str:
    """The text of the migration that creates all quality views."""
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in QUALITY_VIEWS.items())


if __name__ == "__main__":
    print(migration(), end="")
