"""The quality views, written from the method's formulas and the publishing rule.

`python -m sinks.clickhouse.quality_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from schemas.vocabulary import DIMENSIONS, INFERRED_RULES, RULE_DIMENSION, Rule
from sinks.clickhouse.asked_sql import ASKED, IN_SPAN, RUN, by_period
from sinks.clickhouse.estimate_sql import ESTIMATE, estimate_sql, interval_sql
from sinks.clickhouse.named_sql import NAMED
from sinks.clickhouse.publish_sql import ATOMS, asked_atoms
from sinks.clickhouse.windows_sql import exact_sum

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

_COUNTS = ("shown_atoms", "peopled_too_thinly", "sum_n", "sum_pending", "shown_items", "all_work_items")

_TIE_SUMS = f"""
SELECT process, origin, communicator_role, experiencer_role, dimension,
    countIf(publishable) AS shown_atoms, countIf(n > 0 AND NOT enough_people) AS peopled_too_thinly,
    {
    exact_sum("s", "publishable")
} AS sum_s, sumIf(n, publishable) AS sum_n, sumIf(pending, publishable) AS sum_pending,
    sumIf(work_items, publishable) AS shown_items, sum(work_items) AS all_work_items,
    sumMapIf(n_by_rule, publishable) AS rules
FROM
({
    asked_atoms(
        "origin, communicator_role, experiencer_role, dimension, s, n, pending, n_by_rule",
        "*",
    )
})
GROUP BY process, origin, communicator_role, experiencer_role, dimension"""

_NO_RULES = "CAST(map(), 'Map(String, UInt64)')"

# A tie has a row for each direction and dimension, with sums where there are some. What is stored once for an unordered
# pair is shown on both directions.
_PLACES = f"""
SELECT *, arrayJoin(arrayConcat(
        arrayFlatten(arrayMap(other -> [(a, b, other, 0), (b, a, other, 0)], [{_DIMENSION_LIST}])),
        if(held = '', [], [(a, b, held, 1)]), if(held = 'frequency' AND a != b, [(b, a, held, 1)], []))) AS place
FROM
(
    SELECT process, origin, communicator_role AS a, experiencer_role AS b, toString(dimension) AS held,
        {", ".join(_COUNTS)}, sum_s, rules, 1 AS in_week, 1 AS in_month, 1 AS in_quarter
    FROM ({_TIE_SUMS})
    UNION ALL
    SELECT process, origin, from_role, to_role, '', 0, 0, 0, 0, 0, 0, 0., {_NO_RULES}, in_week, in_month, in_quarter
    FROM ({NAMED})
)
WHERE a != '' AND b != ''"""

_TIES = f"""
SELECT process, origin, place.1 AS communicator_role, place.2 AS experiencer_role, place.3 AS dimension,
    sumForEachIf([1, {", ".join(_COUNTS)}], place.4) AS counts, sumIf(sum_s, place.4) AS s,
    sumMapIf(rules, place.4) AS n_by_rule,
    max(in_week) AS in_week, max(in_month) AS in_month, max(in_quarter) AS in_quarter
FROM ({_PLACES})
GROUP BY process, origin, communicator_role, experiencer_role, dimension"""


def _rules_by_dimension(rules: Iterable[Rule]) -> str:
    """For each dimension, in their order, the rules that may observe it."""
    kept = list(rules)
    of_each = [[rule for rule in kept if RULE_DIMENSION[rule] == dimension] for dimension in DIMENSIONS]
    return f"CAST({of_each}, 'Array(Array(String))')"


_DECLARED = f"""hasAny(CAST(d.observed_rules, 'Array(String)'),
    if(t.origin = 'inferred', {_rules_by_dimension(sorted(INFERRED_RULES))},
        {_rules_by_dimension(RULE_DIMENSION)})[indexOf([{_DIMENSION_LIST}], t.dimension)])"""

_STATUS = """multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, 'hidden: too few people',
        'not enough data')"""

_JUDGED = f"""
SELECT t.process AS process, t.origin AS origin, t.communicator_role AS communicator_role,
    t.experiencer_role AS experiencer_role, t.dimension AS dimension,
    t.counts[1] AS found, t.counts[2] AS shown_atoms, t.counts[3] AS peopled_too_thinly, t.counts[4] AS n,
    t.counts[5] AS pending, t.counts[6] AS work_items, t.counts[7] AS all_work_items, t.s AS s,
    t.n_by_rule AS n_by_rule, {_DECLARED} AS declared, if(d.period = '', 'month', d.period) AS period,
    {_STATUS} AS status,
    q.mu AS mu, q.tau2 AS tau2, q.phi AS phi, q.k AS k, q.n_eff AS n_eff
FROM ({_TIES}) AS t
LEFT JOIN (SELECT process, period, observed_rules FROM processes FINAL WHERE {RUN}) AS d ON d.process = t.process
LEFT JOIN (SELECT process, dimension, origin, mu, tau2, phi, k, n_eff FROM priors FINAL WHERE {RUN}) AS q
    ON q.process = t.process AND q.dimension = t.dimension AND q.origin = t.origin
WHERE {IN_SPAN}"""


def _unless_hidden(status: str) -> str:
    # Adding 0 changes no bit. An `if` would put off the whole estimate until it is known which rows want it, and then
    # compute what its steps share again for each of them.
    return f"if({status} = 'shown', 0., NULL) AS unless_hidden"


_SHOWN = "if(status = 'shown', {0}, NULL)"


def _with_estimates(kept: Mapping[str, str], results: Collection[str] = ESTIMATE) -> str:
    """A SELECT of the column `kept`, a tuple, and of the estimate's results.

    Packed in one column, the rest of a row costs the steps of the estimate nothing to plan.

    Args:
        kept: name to expression over `_JUDGED`.
    """
    packed = f"SELECT tuple({', '.join(kept.values())}) AS kept, s, n, mu, tau2, phi, k, n_eff FROM ({_JUDGED})"
    return estimate_sql(f"({packed})", ["kept"], results=results)


def _unpacked(kept: Mapping[str, str], columns: Iterable[str]) -> str:
    places = {name: place for place, name in enumerate(kept, 1)}
    return ", ".join(f"kept.{places[column]} AS {column}" for column in columns)


_FIGURES = {
    column: column
    for column in (
        *("process", "origin", "communicator_role", "experiencer_role", "dimension", "period", "declared", "status"),
        *("n", "pending", "work_items", "all_work_items", "n_by_rule"),
    )
}
TIE_FIGURES = f"""{ASKED}
SELECT {_unpacked(_FIGURES, _FIGURES)}, {", ".join(ESTIMATE)}
FROM ({_with_estimates(_FIGURES)})
SETTINGS join_use_nulls = 0"""
"""Every figure that the views below may show, granted to nobody: it has the variance, and figures on rows without any.

They contain its text instead of reading it: a view within a view is analysed once more for every level.
"""

_TIES_KEPT = {
    **{name: name for name in ("process", "communicator_role", "experiencer_role", "dimension", "origin")},
    **{name: _SHOWN.format(name) for name in ("n", "pending")},
    "status": "status",
    "work_items": _SHOWN.format("work_items"),
    "n_by_rule": f"if(status = 'shown', n_by_rule, {_NO_RULES})",
    "hidden_share": "if(all_work_items = 0, NULL, intDiv(20 * (all_work_items - work_items) + all_work_items,"
    " 2 * all_work_items) / 10)",
    "period_from": by_period("from"),
    "period_to": by_period("to"),
    "place": f"indexOf([{_DIMENSION_LIST}], dimension)",
}
TIES = f"""{ASKED}, {_unless_hidden("status")}
SELECT {_unpacked(_TIES_KEPT, list(_TIES_KEPT)[:7])},
    {", ".join(f"f.{name} + unless_hidden AS {name}" for name in ("estimate", "low", "high"))},
    {_unpacked(_TIES_KEPT, list(_TIES_KEPT)[7:-1])}
FROM ({_with_estimates(_TIES_KEPT, ("estimate", "low", "high"))}) AS f
ORDER BY process, communicator_role, experiencer_role, origin, kept.{len(_TIES_KEPT)}
SETTINGS join_use_nulls = 0"""

_TIE_KEPT = {name: name for name in (*_TIE.split(", "), "dimension", "declared", "status")}
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
    FROM
    (
        SELECT {_unpacked(_TIE_KEPT, _TIE_KEPT)}, estimate, variance
        FROM ({_with_estimates(_TIE_KEPT, ("estimate", "variance"))})
    )
    GROUP BY {_TIE}
)"""

_OVERALL_KEEP = ("process", "communicator_role", "experiencer_role", "origin", "dimensions", "verdict", "mean")
OVERALL = f"""{ASKED}, {_unless_hidden("verdict")}
SELECT process, communicator_role, experiencer_role, origin, dimensions, verdict AS status,
    mean + unless_hidden AS estimate,
    o.low + unless_hidden AS low, o.high + unless_hidden AS high
FROM ({interval_sql(f"({_DECLARED_FIGURES})", _OVERALL_KEEP, {"e": "mean", "variance": "spread"})}) AS o
ORDER BY process, communicator_role, experiencer_role, origin
SETTINGS join_use_nulls = 0"""

_PERIOD_COLUMNS = "process, site, dimension, origin, period, period_start, s, n, pending, work_items, n_by_rule"
TIE_PERIODS = f"""{ASKED}
SELECT process, site, communicator_role, experiencer_role, dimension, origin, period, period_start,
    {_period_end("period_start")} AS period_end, s / n AS value, s, n, pending, work_items, n_by_rule
FROM
(
    SELECT {_PERIOD_COLUMNS}, if(turned, b, a) AS communicator_role, if(turned, a, b) AS experiencer_role
    FROM
    ({
    asked_atoms(
        "site, communicator_role, experiencer_role, dimension, origin, period_start, s, n, pending, n_by_rule",
        f"{_PERIOD_COLUMNS}, communicator_role AS a, experiencer_role AS b, publishable,"
        " arrayJoin(if(dimension = 'frequency' AND a != b, [0, 1], [0])) AS turned",
    )
}
    WHERE publishable
    )
)
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
