"""Dashboards as files that Grafana reads at its start: `tieline dashboards export DIR`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.grafana.marks import FOLDERS
from deploy.grafana.provisioning import data_source_yaml, provider_yaml
from deploy.grafana.rendering.render import dashboard_json


def export(folder: Path, *, auditor_org: int | None = None) -> list[Path]:
    """Writes `dashboards/` and `datasources/` as Grafana wants them below its provisioning folder.

    `auditor_org`: also the auditors' dashboard and data source, for that organisation of Grafana. Never the one in
    which everybody is: who may look at any dashboard of an organisation may ask any of its data sources anything.

    Returns: the files written. Dashboards of an earlier export that are no longer defined are removed.
    Raises: OSError: the folder cannot be written.
    """
    texts = export_texts(auditor_org=auditor_org)
    for forgotten in _forgotten(folder, texts):
        forgotten.unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def export_texts(*, auditor_org: int | None = None) -> dict[str, str]:
    """File name, relative to the folder, to its text."""
    orgs = {"reader": 1} | ({} if auditor_org is None else {"auditor": auditor_org})
    texts: dict[str, str] = {}
    for account, org in orgs.items():
        texts[f"datasources/{FOLDERS[account]}.yaml"] = data_source_yaml(account, org)
        texts[f"dashboards/{FOLDERS[account]}.yaml"] = provider_yaml(account, org)
        for dashboard in DASHBOARDS:
            if dashboard.data_source == account:
                texts[f"dashboards/{FOLDERS[account]}/{dashboard.uid}.json"] = as_text(dashboard_json(dashboard))
    return texts


def as_text(dashboard: dict[str, Any]) -> str:
    """JSON for files and for people who compare them: indented, keys sorted, letters as they are."""
    return json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _forgotten(folder: Path, texts: dict[str, str]) -> list[Path]:
    found = [path for name in FOLDERS.values() for path in (folder / "dashboards" / name).glob("tieline-*.json")]
    return [path for path in found if path.relative_to(folder).as_posix() not in texts]
