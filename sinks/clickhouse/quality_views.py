"""The quality views, written from the method's formulas and the publishing rule.

`python -m sinks.clickhouse.quality_views [NAME …]` prints the migration that creates them. A change after a release
goes into a migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping

from schemas.vocabulary import DIMENSIONS, INFERRED_RULES, RULE_DIMENSION, Rule
from sinks.clickhouse.asked_sql import ASKED, IN_SPAN, RUN, by_period, period_end
from sinks.clickhouse.estimate_sql import ESTIMATE, estimate_sql, interval_sql
from sinks.clickhouse.named_sql import NAMED
from sinks.clickhouse.promoted_sql import PROMISED, alone
from sinks.clickhouse.publish_sql import asked_atoms
from sinks.clickhouse.windows_sql import exact_sum

_TIE = ("process", "communicator_role", "experiencer_role", "origin")
_DIMENSION_LIST = ", ".join(f"'{dimension}'" for dimension in DIMENSIONS)
_HEADER = "-- Written by `python -m sinks.clickhouse.quality_views`: see there for what it means.\n"


_COUNTS = ("shown_atoms", "peopled_too_thinly", "sum_n", "sum_pending", "shown_items", "all_work_items")

_TIE_SUMS = f"""
SELECT process, origin, communicator_role, experiencer_role, dimension,
    countIf(publishable) AS shown_atoms, countIf(n > 0 AND NOT enough_people) AS peopled_too_thinly,
    {exact_sum("s", "publishable")} AS sum_s,
    sumIf(n, publishable) AS sum_n, sumIf(pending, publishable) AS sum_pending,
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
# pair is shown on both directions. The empty dimension stands for the one that the sums are of.
_PLACES = [(dimension, turned) for dimension in (*DIMENSIONS, "") for turned in (0, 1)]
_PLACED = f"""
SELECT process, origin, a, b, held, {", ".join(_COUNTS)}, sum_s, rules, in_week, in_month, in_quarter,
    arrayJoin({_PLACES}) AS place, place.2 AS turned, place.1 = '' AS own,
    own AND has_sums AND (NOT turned OR held = 'frequency' AND a != b) AS holds
FROM
(
    SELECT process, origin, communicator_role AS a, experiencer_role AS b, toString(dimension) AS held, 1 AS has_sums,
        {", ".join(_COUNTS)}, sum_s, rules, 1 AS in_week, 1 AS in_month, 1 AS in_quarter
    FROM ({_TIE_SUMS})
    UNION ALL
    SELECT process, origin, from_role, to_role, 'frequency', 0, 0, 0, 0, 0, 0, 0, 0., {_NO_RULES},
        in_week, in_month, in_quarter
    FROM ({NAMED})
)
WHERE a != '' AND b != ''"""

# What stands above a large subquery is the dearer to analyse the more of it there is, keys and sums above all: so there
# is one key, and it is computed a level below.
_TIES = f"""
SELECT tie.1 AS process, tie.2 AS origin, tie.3 AS communicator_role, tie.4 AS experiencer_role, tie.5 AS dimension,
    sums[1] AS in_week, sums[2] AS in_month, sums[3] AS in_quarter, sums[4] AS found, sums[5] AS shown_atoms,
    sums[6] AS peopled_too_thinly, sums[7] AS n, sums[8] AS pending, sums[9] AS work_items, sums[10] AS all_work_items,
    s, n_by_rule
FROM
(
    SELECT tie, sumForEach(counts) AS sums, sumIf(sum_s, holds) AS s, sumMapIf(rules, holds) AS n_by_rule
    FROM
    (
        SELECT holds, sum_s, rules,
            (process, origin, if(turned, b, a), if(turned, a, b), if(own, held, place.1)) AS tie,
            arrayConcat([in_week, in_month, in_quarter], if(holds, [1, {", ".join(_COUNTS)}], [])) AS counts
        FROM ({_PLACED})
    )
    GROUP BY tie
)"""


def _rules_by_dimension(rules: Iterable[Rule]) -> str:
    """For each dimension, in their order, the rules that may observe it."""
    kept = list(rules)
    of_each = [[rule for rule in kept if RULE_DIMENSION[rule] == dimension] for dimension in DIMENSIONS]
    return f"CAST({of_each}, 'Array(Array(String))')"


_DECLARED = f"""hasAny(CAST(promised.2, 'Array(String)'),
    if(t.origin = 'inferred', {_rules_by_dimension(sorted(INFERRED_RULES))},
        {_rules_by_dimension(RULE_DIMENSION)})[indexOf([{_DIMENSION_LIST}], t.dimension)])"""

_TOO_FEW_PEOPLE = "hidden: too few people"
_STATUS = f"""multiIf(
        found = 0 AND NOT declared, 'not observed',
        shown_atoms > 0, 'shown',
        peopled_too_thinly > 0, '{_TOO_FEW_PEOPLE}',
        'not enough data')"""

# A dozen rows, looked up by key: a join of them is planned at five times the cost. No prior: all zeros.
_PRIOR_KEY = "concat({0}process, '/', {0}dimension, '/', {0}origin)"
_PRIOR_OF = f"""(SELECT mapFromArrays(groupArray({_PRIOR_KEY.format("")}), groupArray((mu, tau2, phi, k, n_eff)))
    FROM priors FINAL WHERE {RUN}) AS prior_of"""

_JUDGED = f"""
SELECT t.process AS process, t.origin AS origin, communicator_role, experiencer_role, t.dimension AS dimension,
    found, shown_atoms, peopled_too_thinly, n, pending, work_items, all_work_items, s, n_by_rule,
    promised_of[t.process] AS promised, if(promised.1 = '', 'month', promised.1) AS period,
    {_DECLARED} AS declared, {_STATUS} AS status,
    prior_of[{_PRIOR_KEY.format("t.")}] AS prior,
    prior.1 AS mu, prior.2 AS tau2, prior.3 AS phi, prior.4 AS k, prior.5 AS n_eff
FROM ({_TIES}) AS t
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


_TIES_KEPT = {
    **{name: name for name in ("process", "communicator_role", "experiencer_role", "origin")},
    "dimension": "dimension",
    **{name: _SHOWN.format(name) for name in ("n", "pending")},
    "status": "status",
    "work_items": _SHOWN.format("work_items"),
    "n_by_rule": f"if(status = 'shown', n_by_rule, {_NO_RULES})",
    "hidden_share": "if(all_work_items = 0, NULL, intDiv(20 * (all_work_items - work_items) + all_work_items,"
    " 2 * all_work_items) / 10)",
    "period_from": by_period("from"),
    "period_to": by_period("to"),
}
_BEFORE_ESTIMATE = ("process", "communicator_role", "experiencer_role", "dimension", "origin", "n", "pending")
_AFTER_ESTIMATE = ("status", "work_items", "n_by_rule", "hidden_share", "period_from", "period_to")
TIES = f"""{ASKED}, {alone()}, {PROMISED}, {_PRIOR_OF}, {_unless_hidden("status")}
SELECT {_unpacked(_TIES_KEPT, _BEFORE_ESTIMATE)},
    {", ".join(f"f.{name} + unless_hidden AS {name}" for name in ("estimate", "low", "high"))},
    {_unpacked(_TIES_KEPT, _AFTER_ESTIMATE)}
FROM ({_with_estimates(_TIES_KEPT, ("estimate", "low", "high"))}) AS f
SETTINGS join_use_nulls = 0"""

_TIE_KEPT = {name: name for name in (*_TIE, "dimension", "declared", "status")}
_TIE_PARTS = f"""
SELECT tie, arraySort(groupArrayIf(part, wanted)) AS parts
FROM
(
    SELECT (kept.1, kept.2, kept.3, kept.4) AS tie, (kept.5, estimate, sqrt(variance), kept.7) AS part, kept.6 AS wanted
    FROM ({_with_estimates(_TIE_KEPT, ("estimate", "variance"))})
)
GROUP BY tie"""

_DECLARED_FIGURES = f"""
SELECT tie, parts.1 AS dimensions, greatest(length(parts), 1) AS count,
    multiIf(
        empty(parts), 'not observed',
        has(parts.4, '{_TOO_FEW_PEOPLE}'), '{_TOO_FEW_PEOPLE}',
        countEqual(parts.4, 'shown') < count, 'not enough data',
        'shown') AS status,
    arraySum(parts.2) AS estimates, arraySum(parts.3) AS sds
FROM ({_TIE_PARTS})"""

_PACKED_OVERALL = f"""
SELECT (tie, dimensions, status) AS kept, if(status = 'shown', estimates / count, 0.5) AS mean,
    if(status = 'shown', pow(sds / count, 2), 0.05) AS spread
FROM ({_DECLARED_FIGURES})"""
OVERALL = f"""{ASKED}, {alone()}, {PROMISED}, {_PRIOR_OF}, {_unless_hidden("status")}
SELECT kept.1.1 AS process, kept.1.2 AS communicator_role, kept.1.3 AS experiencer_role, kept.1.4 AS origin,
    kept.2 AS dimensions, kept.3 AS status,
    mean + unless_hidden AS estimate, o.low + unless_hidden AS low, o.high + unless_hidden AS high
FROM ({interval_sql(f"({_PACKED_OVERALL})", ["kept", "mean"], {"e": "mean", "variance": "spread"})}) AS o
SETTINGS join_use_nulls = 0"""

_PERIOD_COLUMNS = "process, site, dimension, origin, period, period_start, s, n, pending, work_items, n_by_rule"
TIE_PERIODS = f"""{ASKED}, {alone()}
SELECT process, site, communicator_role, experiencer_role, dimension, origin, period, period_start,
    {period_end("period_start")} AS period_end, s / n AS value, s, n, pending, work_items, n_by_rule
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
    "ties": TIES,
    "overall": OVERALL,
    "tie_periods": TIE_PERIODS,
}
"""Name to SELECT, in the order of creation."""


def create_view(name: str, select: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS{select}"


def migration(names: Collection[str]) -> str:
    """The part of a migration that creates these views, in the order of creation; all of them for no names."""
    chosen = {name: select for name, select in QUALITY_VIEWS.items() if name in names or not names}
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in chosen.items())


if __name__ == "__main__":
    print(migration(sys.argv[1:]), end="")
