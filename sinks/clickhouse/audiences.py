"""Who may read which view. Everything that grants access is made from this one list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.errors import ConfigError

Audience = Literal["quality", "operations", "pipeline", "auditor"]


class View(NamedTuple):
    """A view that people may read.

    Attributes:
        takes_period: asked as `view(run, from, to, process, site)`.
        also_takes: what it is asked with beside these.
        of_processes: each row is of one process, in the column `process`.
    """

    audience: Audience
    takes_period: bool = False
    also_takes: tuple[str, ...] = ()
    of_processes: bool = True


QUALITY: Mapping[str, View] = {
    "ties": View("quality", takes_period=True),
    "overall": View("quality", takes_period=True),
    "tie_periods": View("quality", takes_period=True),
    "tie_answers": View("quality", takes_period=True),
    "tie_marks": View("quality", takes_period=True),
    "tie_hours": View("quality", takes_period=True),
    "tie_flow": View("quality", takes_period=True),
    "tie_control": View("quality", takes_period=True),
    "tie_latency_control": View("quality", takes_period=True),
    "run_changes": View("quality", takes_period=True, also_takes=("compare",)),
    "survey_beside_proxy": View("quality", takes_period=True, also_takes=("survey",)),
    "quality_interventions": View("quality"),
    "quality_effects": View("quality"),
    "quality_surveys": View("quality"),
    "quality_processes": View("quality"),
    "quality_promotions": View("quality"),
}
OPERATIONS: Mapping[str, View] = {
    "open_handoffs": View("operations"),
    "handoff_flow": View("operations"),
    "freshness": View("operations"),
    "open_signals": View("operations"),
}
PIPELINE: Mapping[str, View] = {
    "pipeline_sources": View("pipeline"),
    "pipeline_roles": View("pipeline"),
    "pipeline_dead_letters": View("pipeline", of_processes=False),
    "pipeline_tables": View("pipeline", of_processes=False),
    "pipeline_measures": View("pipeline", of_processes=False),
}
AUDITOR: Mapping[str, View] = {
    "auditor_evidence": View("auditor"),
    "auditor_handoffs": View("auditor"),
    "auditor_exchanges": View("auditor"),
    "auditor_problems": View("auditor"),
    "auditor_events": View("auditor"),
    "auditor_runs": View("auditor", of_processes=False),
    "auditor_dead_letters": View("auditor", of_processes=False),
}
VIEWS: Mapping[str, View] = {**QUALITY, **OPERATIONS, **PIPELINE, **AUDITOR}

USERS: Mapping[str, tuple[Audience, ...]] = {
    "reader": ("quality", "operations", "pipeline"),
    "auditor": ("quality", "operations", "pipeline", "auditor"),
}
"""User (of a server: role) to what it reads."""


def views_of(user: str) -> list[str]:
    """Names of the views that a user may read."""
    return [name for name, view in VIEWS.items() if view.audience in USERS[user]]


def grants(database: str) -> dict[str, list[str]]:
    """User to `database.view` names, as the embedded front reads them."""
    return {user: [f"{database}.{name}" for name in views_of(user)] for user in USERS}


def write_grants(path: Path, database: str) -> None:
    """Replaces the embedded front's grants in one step."""
    written = path.with_suffix(".new")
    written.write_text(json.dumps(grants(database), indent=2) + "\n")
    written.replace(path)


def server_statements(database: str, definer: str, cluster: str = "") -> list[str]:
    """For ClickHouse servers, after every migration: roles, and views that read with the definer's rights.

    The definer is a user that may read the tables and never logs in. Needs the right to create roles and
    `SET DEFINER`. Not for the embedded store, which has neither users nor definers.

    Args:
        cluster: the store is on this cluster; empty: on one server.
    Raises: ConfigError: a name that would have to be quoted.
    """
    for name in (database, definer):
        if not name.replace("_", "").isalnum():
            raise ConfigError(f"not a name of letters, digits and '_': {name!r}")
    on = f" ON CLUSTER `{cluster}`" if cluster else ""
    return [
        f"GRANT{on} SELECT ON `{database}`.* TO `{definer}`",
        *([f"GRANT{on} SELECT ON `{database}_local`.* TO `{definer}`"] if cluster else []),
        *([f"GRANT{on} REMOTE, CREATE TEMPORARY TABLE ON *.* TO `{definer}`"] if cluster else []),
        *(f"GRANT{on} SELECT ON system.{table} TO `{definer}`" for table in _SYSTEM_TABLES),
        *(f"ALTER TABLE `{database}`.`{view}`{on} MODIFY SQL SECURITY DEFINER DEFINER = `{definer}`" for view in VIEWS),
        *(f"CREATE ROLE IF NOT EXISTS `{database}_{user}`{on}" for user in USERS),
        *(
            f"GRANT{on} SELECT ON `{database}`.`{view}` TO `{database}_{user}`"
            for user in USERS
            for view in views_of(user)
        ),
    ]


_SYSTEM_TABLES = ("tables", "detached_parts")
"""Read by `pipeline_tables`; servers may want a grant for them too."""
