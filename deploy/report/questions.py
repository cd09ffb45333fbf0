"""What the report asks the views: statements of dashboards where there is one, and the same for all ties at once."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.dashboards.asking import of_period
from deploy.dashboards.improvement import FLOW_EFFICIENCY
from deploy.dashboards.retrospective import CHANGES
from deploy.dashboards.ties import COVERED, INTERVENTIONS

_TIE = "communicator_role, experiencer_role, origin"

PERIODS = f"""SELECT toDateTime(period_start) AS since, toDateTime(max(p.period_end)) AS until, communicator_role,
    experiencer_role, origin, toString(dimension) AS dimension, sum(p.s) / sum(p.n) AS value, sum(p.n) AS n,
    sum(p.pending) AS pending, sum(p.n_by_rule['handoff_acceptance']) AS handoffs
FROM {of_period("tie_periods")} AS p
GROUP BY since, communicator_role, experiencer_role, origin, dimension HAVING n > 0
ORDER BY since, {_TIE}, dimension"""

ANSWERS = f"""SELECT {_TIE}, waited_s, answered, low, high, at_risk, n FROM {of_period("tie_answers")}
ORDER BY {_TIE}, waited_s"""

MARKS = f"""SELECT {_TIE}, toString(dimension) AS dimension, mark, m.n AS times, m.of AS of_n
FROM {of_period("tie_marks")} AS m ORDER BY {_TIE}, dimension, mark"""

HOURS = f"""SELECT day, hour, sum(handoffs) AS offered FROM {of_period("tie_hours")}
GROUP BY day, hour ORDER BY day, hour"""

FIGURES = f"""SELECT {_TIE}, toString(dimension) AS dimension, toString(status) AS status, n, pending, work_items,
    estimate, low, high, hidden_share FROM {of_period("ties")} ORDER BY {_TIE}, dimension"""

CONTROL = f"""SELECT {_TIE}, toString(dimension) AS dimension, period_start, value, n, center, lower, upper, points,
    beyond_limits OR shift OR trend OR near_limit AS special, verdict, rule_set, expected_false_alarms
FROM {of_period("tie_control")} ORDER BY dimension, {_TIE}, period_start"""

STATEMENTS: Mapping[str, str] = {
    "covered": COVERED.query.sql,
    "periods": PERIODS,
    "flow": FLOW_EFFICIENCY.query.sql,
    "hours": HOURS,
    "answers": ANSWERS,
    "marks": MARKS,
    "figures": FIGURES,
    "control": CONTROL,
    "interventions": INTERVENTIONS.sql,
}
COMPARISON: Mapping[str, str] = {"changes": CHANGES.query.sql}
"""Only where there is another run to compare with."""
