"""Writes the golden dashboards and the provisioning files of docker-compose anew: `python -m tests.golden.dashboards`.

Look at the difference before you commit it: it is what changes on other people's walls.
"""

from __future__ import annotations

from pathlib import Path

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.grafana.export import as_text, export
from deploy.grafana.rendering.render import dashboard_json

HERE = Path(__file__).parent
PROVISIONING = Path(__file__).parents[3] / "deploy" / "docker" / "grafana" / "provisioning"


def rewrite() -> None:
    """Golden files of dashboards that are no longer defined are removed."""
    for path in HERE.glob("*.json"):
        path.unlink()
    for dashboard in DASHBOARDS:
        (HERE / f"{dashboard.uid}.json").write_text(as_text(dashboard_json(dashboard)), encoding="utf-8")
    export(PROVISIONING)


if __name__ == "__main__":
    rewrite()
