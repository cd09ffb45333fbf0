"""How panels ask the views that take a period: the one place where variables meet their parameters."""

from __future__ import annotations

from deploy.dashboards.dashboard import Variable

_INSTANT = "'%Y-%m-%dT%H:%i:%SZ', 'UTC'"
_PERIOD = f"`from` = formatDateTime($__fromTime, {_INSTANT}), `to` = formatDateTime($__toTime, {_INSTANT})"


def of_period(view: str, run: str = "${run:singlequote}", site: str = "${site:singlequote}", **more: str) -> str:
    """A quality view over the chosen period, which it snaps to whole atoms; `more`: its other parameters."""
    extra = "".join(f", {name} = {value}" for name, value in more.items())
    return f"{view}(run = {run}, {_PERIOD}, process = ${{process:singlequote}}, site = {site}{extra})"


_LIVE_PROCESSES = "SELECT DISTINCT process FROM quality_processes WHERE run = 'live' ORDER BY process"
PROCESS = Variable(name="process", label="Process", sql=_LIVE_PROCESSES)
"""One process: figures of two processes are never pooled."""
PROCESSES = Variable(name="process", label="Process", sql=_LIVE_PROCESSES, multi=True, all=True)
"""Any of them: what is open, and what flows through, may be looked at together."""
IN_PROCESSES = "$__conditionalAll(process IN (${process:singlequote}), $process)"

RUN = Variable(
    name="run",
    label="Run",
    sql="SELECT DISTINCT run FROM quality_processes WHERE process = ${process:singlequote} ORDER BY run != 'live', run",
    default="live",
)
_EVERYWHERE = of_period("tie_periods", site="''")
SITE = Variable(
    name="site",
    label="Site",
    sql=f"SELECT DISTINCT site FROM {_EVERYWHERE} WHERE site != '' ORDER BY site",
    all=True,
    all_value="''",
)
"""Sites of publishable atoms; the views take an empty text for all of them."""

_ROLES = f"SELECT DISTINCT communicator_role FROM {of_period('ties')} ORDER BY communicator_role"
ONE_ROLE = Variable(name="one_role", label="One role", sql=_ROLES)
OTHER_ROLE = Variable(
    name="other_role",
    label="Other role",
    sql=f"""SELECT DISTINCT experiencer_role FROM {of_period("ties")}
WHERE communicator_role = ${{one_role:singlequote}} ORDER BY experiencer_role""",
)
"""A role that the first one has a tie with."""

FIGURE = "concat(printf('%.2f', estimate), ' (', printf('%.2f', low), '–', printf('%.2f', high), ') n ', toString(n))"
"""An estimate with its interval and number of observations, in one text; null where there is none to show."""
