"""Surveys and what stands beside them: the customer's own results, and the proxies of the time before.

`python -m sinks.clickhouse.survey_views` prints the migration that creates them. A change after a release goes into a
migration of its own: a test compares each view with the newest migration that creates it.
"""

from __future__ import annotations

from schemas.method.tie import Z
from schemas.vocabulary import DIMENSIONS
from sinks.clickhouse.asked_sql import RUN
from sinks.clickhouse.quality_views import TIES, create_view

_HEADER = "-- Written by `python -m sinks.clickhouse.survey_views`: see there for what it means.\n"
_HIDDEN = "hidden: too few people"

# A mean of few raters says what they said: held to the same minimum as everything else, whoever sent it, and never
# below three. Of two contents of one event the smaller payload counts, as everywhere.
QUALITY_SURVEYS = f"""
SELECT s.process AS process, site, survey, at, rater_role AS experiencer_role, rated_role AS communicator_role,
    dimension, s.n >= if(p.least = 0, 5, p.least) AND s.mean >= 1 AND s.mean <= 5 AS enough,
    if(enough, s.mean, NULL) AS mean, if(enough, s.n, NULL) AS n, if(enough, 'shown', '{_HIDDEN}') AS status
FROM (SELECT * FROM surveys FINAL ORDER BY payload LIMIT 1 BY source, id) AS s
LEFT JOIN
(
    SELECT process, max(greatest(min_actors, 3)) AS least FROM processes FINAL WHERE run = 'live' GROUP BY process
) AS p ON p.process = s.process
ORDER BY at, process, survey, experiencer_role, communicator_role, dimension
SETTINGS join_use_nulls = 0"""

# `from` and `to` say when the survey was taken; the time of the proxies follows from it.
_INSTANT = "parseDateTime64BestEffort({{{}:String}}, 6, 'UTC')"
_ASKED_SURVEY = (
    "process = {process:String} AND survey = {survey:String}"
    f" AND at >= {_INSTANT.format('from')} AND at < {_INSTANT.format('to')}"
)
# Never null: what is asked decides the types of all that follows.
_TAKEN_AT = f"assumeNotNull((SELECT max(at) FROM surveys WHERE {_ASKED_SURVEY}))"
_PERIOD = f"ifNull((SELECT any(period) FROM processes FINAL WHERE {RUN} AND process = {{process:String}}), '')"

# About 90 days, in whole periods, the last of them over when the survey was taken: 13 weeks, 3 months or a quarter.
_TIMES = {
    "taken_on": f"toDate32({_TAKEN_AT})",
    "kept_as": _PERIOD,
    "before": "multiIf(kept_as = 'week', toMonday(taken_on), kept_as = 'quarter', toStartOfQuarter(taken_on),"
    " toStartOfMonth(taken_on))",
    "since": "multiIf(kept_as = 'week', addWeeks(before, -13), kept_as = 'quarter', addQuarters(before, -1),"
    " addMonths(before, -3))",
    "survey_from": "toDateTime64(since, 6, 'UTC')",
    "survey_to": "toDateTime64(before, 6, 'UTC')",
}
_ASKED_TIMES = "\nWITH " + ",\n    ".join(f"{expression} AS {name}" for name, expression in _TIMES.items())


def _ties_before() -> str:
    """`ties` of the time before the survey, asked by the survey instead of by times."""
    statement = TIES
    for given, instant in (
        ("\nWITH ", f"{_ASKED_TIMES},\n    "),
        (f"{_INSTANT.format('from')} AS asked_from", "survey_from AS asked_from"),
        (f"{_INSTANT.format('to')} AS asked_to", "survey_to AS asked_to"),
    ):
        if statement.count(given) != 1:
            raise ValueError(f"the view `ties` is no longer asked as it was: {given}")
        statement = statement.replace(given, instant, 1)
    return statement


_DIMENSIONS = ", ".join(f"'{dimension}'" for dimension in DIMENSIONS)

# The widest interval that a mean of n answers from 1 to 5 can have: their variance is at most (5 − m)(m − 1).
_N = "toFloat64(survey_n)"
_Z2 = f"{Z * Z!r} / {_N}"
_SHARE = "(survey_mean - 1) / 4"
_MIDDLE = f"({_SHARE} + {_Z2} / 2) / (1 + {_Z2})"
_HALF = f"sqrt({_Z2} * ({_SHARE} * (1 - {_SHARE}) + {_Z2} / 4)) / (1 + {_Z2})"

_SURVEY = f"""
SELECT communicator_role, experiencer_role, dimension, max(q.at) AS taken_at,
    sum(ifNull(q.n, 0)) AS raters, sum(ifNull(q.mean * q.n, 0.)) / greatest(raters, 1) AS pooled
FROM ({QUALITY_SURVEYS}) AS q
WHERE {_ASKED_SURVEY} AND ({{site:String}} = '' OR site = {{site:String}})
GROUP BY communicator_role, experiencer_role, dimension"""

_NO_FIGURE = (
    f"tuple('', if(s.dimension IN ({_DIMENSIONS}), 'not observed', 'survey only'), toNullable(toUInt64(0)),"
    " CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)'))"
)

# A tie of which nothing may be shown because of too few people: the survey's raters would be asked about just those.
_PROXIES = f"""
SELECT communicator_role, experiencer_role,
    countIf(status = 'shown') = 0 AND countIf(status = '{_HIDDEN}') > 0 AS closed,
    groupArray((toString(dimension), (toString(origin), toString(status), n, estimate, low, high))) AS figures
FROM ({_ties_before()})
GROUP BY communicator_role, experiencer_role"""

SURVEY_BESIDE_PROXY = f"""{_ASKED_TIMES}
SELECT process, survey, survey_at, period_from, period_to, communicator_role, experiencer_role, dimension, origin,
    survey_status, survey_mean,
    if(survey_mean IS NULL, NULL, 1 + 4 * greatest(0., {_MIDDLE} - {_HALF})) AS survey_low,
    if(survey_mean IS NULL, NULL, 1 + 4 * least(1., {_MIDDLE} + {_HALF})) AS survey_high, survey_n,
    proxy_status, n, estimate, low, high
FROM
(
    SELECT {{process:String}} AS process, {{survey:String}} AS survey, s.taken_at AS survey_at,
        survey_from AS period_from, survey_to AS period_to, s.communicator_role AS communicator_role,
        s.experiencer_role AS experiencer_role, toString(s.dimension) AS dimension, figure.1 AS origin,
        if(s.raters = 0 OR closed OR figure.2 = '{_HIDDEN}', '{_HIDDEN}', 'shown') AS survey_status,
        if(survey_status = 'shown', s.pooled, NULL) AS survey_mean,
        if(survey_status = 'shown', s.raters, NULL) AS survey_n,
        figure.2 AS proxy_status, if(figure.2 = 'shown', figure.3, NULL) AS n,
        figure.4 AS estimate, figure.5 AS low, figure.6 AS high,
        arrayMap(found -> found.2, arrayFilter(found -> found.1 = s.dimension, figures)) AS own,
        arrayJoin(if(empty(own), [{_NO_FIGURE}], own)) AS figure
    FROM ({_SURVEY}) AS s
    LEFT JOIN ({_PROXIES}) AS t
        ON t.communicator_role = s.communicator_role AND t.experiencer_role = s.experiencer_role
)
SETTINGS join_use_nulls = 0"""

SURVEY_VIEWS: dict[str, str] = {"quality_surveys": QUALITY_SURVEYS, "survey_beside_proxy": SURVEY_BESIDE_PROXY}
"""Name to SELECT, in the order of creation."""


def migration() -> str:
    """The text of the migration that creates all views of surveys."""
    return _HEADER + "".join(f"\n{create_view(name, select)};\n" for name, select in SURVEY_VIEWS.items())


if __name__ == "__main__":
    print(migration(), end="")
