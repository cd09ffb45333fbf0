"""How we know in Grafana what is ours. Nothing without these marks is ever changed or removed; see ADR 14."""

from __future__ import annotations

TAG = "tieline"
"""On dashboards and annotations."""
PREFIX = "tieline-"
"""Of the uids of dashboards, alert rules and contact points."""
FOLDERS = {"reader": "tieline", "auditor": "tieline-audit"}
"""Account to the uid of the folder, whatever its title."""
DATA_SOURCES = {"reader": "tieline", "auditor": "tieline-auditor"}
"""Account to the uid of the data source that reads as it."""
CONTACT_POINT = "tieline-webhook"
INTERVENTION = "intervention"
"""Of annotations: `intervention:<process>/<id>`."""
