"""What people are told about without looking: the alert rules, defined once.

They count work and watch the pipeline; none names a person or ranks a role. Their SQL may use the macros of the
plug-in's back end only: an alert rule has no variables. Each statement gives one number and texts, which become the
alert's labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.dashboards.ties import DIMENSION_NAME, INFERRED
from deploy.grafana.marks import PREFIX

NoData = Literal["OK", "NoData"]
_INSTANT = "'%Y-%m-%dT%H:%i:%SZ', 'UTC'"
_DAY_S = 86_400
FALSE_DISCOVERIES = 0.1
"""Share of the ties that are told to have changed, and have not."""


class AlertSettings(BaseModel):
    """From where on somebody wants to know.

    Attributes:
        overdue_grace_s: after its due time, a handoff may wait so long before it counts as overdue here.
        stale_after_s: a process from which nothing arrived for so long.
        dead_letter_share: of what arrived in the last two hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    overdue_grace_s: int = Field(default=300, ge=0)
    stale_after_s: int = Field(default=900, gt=0)
    dead_letter_share: float = Field(default=0.01, gt=0, lt=1)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are looked at together, every `interval_s` (a multiple of 10)."""

    name: str
    interval_s: int


NOW = Group("tieline", 60)
TIES = Group("tieline-ties", 3600)
GROUPS = (NOW, TIES)


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule.

    Attributes:
        sql: one number and texts; rows above `threshold` are alerts of their own.
        columns: of the answer: the texts, then the number.
        back_s: what `$__fromTime` means, before now.
        lasting_s: how long it has to be so.
        panel: dashboard and panel that show more, by their keys.
    """

    key: str
    title: str
    group: Group
    sql: str
    columns: tuple[str, ...]
    threshold: float
    back_s: int
    lasting_s: int
    no_data: NoData
    summary: str
    description: str
    panel: tuple[str, str]

    @property
    def uid(self) -> str:
        return f"{PREFIX}{self.key}"


def alerts(settings: AlertSettings | None = None) -> tuple[Alert, ...]:
    """All rules."""
    chosen = settings or AlertSettings()
    return (_overdue(chosen.overdue_grace_s), _stale(chosen.stale_after_s), _dead(chosen.dead_letter_share), _SHIFT)


def _overdue(grace_s: int) -> Alert:
    return Alert(
        key="handoff-overdue",
        title="Handoffs overdue",
        group=NOW,
        sql=f"""SELECT process, site, to_role, toFloat64(count()) AS overdue
FROM open_handoffs
WHERE run = 'live' AND accept_due_at < $__toTime - toIntervalSecond({grace_s})
GROUP BY process, site, to_role ORDER BY process, site, to_role""",
        columns=("process", "site", "to_role", "overdue"),
        threshold=0,
        back_s=600,
        lasting_s=60,
        no_data="OK",
        summary="{{ $values.A.Value }} handoffs to {{ $labels.to_role }} wait past their due time",
        description=(
            "In {{ $labels.process }}{{ if $labels.site }}, {{ $labels.site }}{{ end }}, {{ $values.A.Value }} open"
            f" handoffs to {{{{ $labels.to_role }}}} were due more than {grace_s // 60} minutes ago and are not"
            " answered. They may be waiting for a place or for information as well as for people."
        ),
        panel=("live", "open-handoffs"),
    )


def _stale(after_s: int) -> Alert:
    return Alert(
        key="data-freshness",
        title="No new events",
        group=NOW,
        # A process that has been silent for a week has ended, or its alert has been seen.
        sql=f"""SELECT process, toFloat64(received_age_s) AS received_age_s
FROM freshness
WHERE newest_received_at > $__toTime - toIntervalSecond({7 * _DAY_S}) ORDER BY process""",
        columns=("process", "received_age_s"),
        threshold=after_s,
        back_s=600,
        lasting_s=120,
        no_data="OK",
        summary="Nothing has arrived from {{ $labels.process }} for {{ humanizeDuration $values.A.Value }}",
        description=(
            "No event of {{ $labels.process }} has reached the store. What the dashboards show of it is of that age:"
            " look at its sources, the gateway and the sink before reading them."
        ),
        panel=("live", "freshness"),
    )


def _dead(share: float) -> Alert:
    return Alert(
        key="dead-letters",
        title="Dead letters",
        group=NOW,
        sql="""SELECT toFloat64(letters) / (letters + events) AS dead_letter_share
FROM
(
    SELECT (SELECT sum(d.letters) FROM pipeline_dead_letters AS d WHERE $__timeFilter(hour)) AS letters,
        (SELECT sum(s.events) FROM pipeline_sources AS s WHERE $__timeFilter(hour)) AS events
)
WHERE letters > 0""",
        columns=("dead_letter_share",),
        threshold=share,
        back_s=2 * 3600,
        lasting_s=300,
        no_data="OK",
        summary="{{ humanizePercentage $values.A.Value }} of what arrived could not be used",
        description=(
            f"More than {share:.1%} of the events of the last two hours went to the dead letters, where they are"
            " kept. The pipeline dashboard says at which stage and why; correct the source or its mapping."
        ),
        panel=("pipeline", "dead-letter-share"),
    )


_ASKED = (
    f"run = 'live', `from` = formatDateTime($__fromTime, {_INSTANT}), `to` = formatDateTime($__toTime, {_INSTANT}),"
    " process = '', site = ''"
)
_TO_DAY = "toTimeZone($__toTime, 'UTC')"
# A point appears once nothing of its period is waiting, which may be a period later.
_RECENT = f"""period_start >= multiIf(period = 'week', addDays(toMonday({_TO_DAY}), -14),
            period = 'quarter', addMonths(toStartOfQuarter({_TO_DAY}), -6), addMonths(toStartOfMonth({_TO_DAY}), -2))"""
# The newest point of every tie that has limits; what is counted once for a pair is looked at once. A limit that 0 or 1
# cuts off tells no sigma; if both are cut off no point can be beyond them.
_NEWEST = f"""SELECT c.process AS process, communicator_role, experiencer_role, beyond_limits,
            concat({DIMENSION_NAME}, {INFERRED}) AS what,
            multiIf(upper < 1, upper - center, lower > 0, center - lower, 1e9) / 3 AS sigma,
            erfc(abs(value - center) / sigma / sqrt(2)) AS p
        FROM tie_control({_ASKED}) AS c
        LEFT JOIN (SELECT process, period FROM quality_processes WHERE run = 'live') AS k ON k.process = c.process
        WHERE isNotNull(upper) AND {_RECENT}
            AND (dimension != 'frequency' OR communicator_role <= experiencer_role)
        ORDER BY period_start DESC LIMIT 1 BY process, communicator_role, experiencer_role, dimension, origin"""

_SHIFT = Alert(
    key="tie-shift",
    title="A tie has changed",
    group=TIES,
    # Benjamini-Hochberg over the ties of one evaluation: of those told, one in ten is chance.
    sql=f"""SELECT process, communicator_role, experiencer_role, what AS dimension, toFloat64(beyond_limits) AS beyond
FROM
(
    SELECT *, max(if(p <= {FALSE_DISCOVERIES} * place / ties, place, 0)) OVER () AS last
    FROM
    (
        SELECT *, row_number() OVER (ORDER BY p) AS place, count() OVER () AS ties
        FROM
        (
        {_NEWEST}
        )
    )
)
WHERE beyond_limits AND place <= last
ORDER BY process, communicator_role, experiencer_role, dimension""",
    columns=("process", "communicator_role", "experiencer_role", "dimension", "beyond"),
    threshold=0,
    back_s=300 * _DAY_S,
    lasting_s=0,
    no_data="OK",
    summary=(
        "Something changed: {{ $labels.dimension }}, {{ $labels.communicator_role }} → {{ $labels.experiencer_role }}"
    ),
    description=(
        "In {{ $labels.process }}, the last closed period lies beyond the three-sigma limits of this tie's control"
        " chart. It may be better or worse, and about one such message in ten is chance. It says nothing about"
        " anybody: look together at what was different then."
    ),
    panel=("improvement", "control-chart"),
)
