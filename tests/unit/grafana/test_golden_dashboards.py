"""The JSON of every dashboard, as others get it: against Grafana's schema and against what it was."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from deploy.dashboards.catalogue import DASHBOARDS
from deploy.dashboards.dashboard import Dashboard
from deploy.grafana.export import as_text, export, export_texts
from deploy.grafana.rendering.render import dashboard_json
from tests.unit.grafana.dashboard_schema import dashboard_validator

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "dashboards"
PROVISIONING = ROOT / "deploy" / "docker" / "grafana" / "provisioning"
REWRITE = "python -m tests.golden.dashboards"
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)


def differences(path: Path, wanted: str) -> str:
    """A unified diff from the file to what it should be; empty: they are equal."""
    there = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = difflib.unified_diff(
        there.splitlines(), wanted.splitlines(), path.relative_to(ROOT).as_posix(), "rendered", lineterm="", n=4
    )
    return "\n".join(lines)


@every_dashboard
def test_dashboard_is_one_that_grafana_takes(dashboard: Dashboard) -> None:
    faults = list(dashboard_validator().iter_errors(dashboard_json(dashboard)))
    assert [f"{list(fault.absolute_path)}: {fault.message}" for fault in faults] == []


@every_dashboard
def test_dashboard_is_what_it_was(dashboard: Dashboard) -> None:
    diff = differences(GOLDEN / f"{dashboard.uid}.json", as_text(dashboard_json(dashboard)))
    assert not diff, f"if that is meant: {REWRITE}\n{diff}"


@every_dashboard
def test_dashboard_is_the_same_each_time(dashboard: Dashboard) -> None:
    assert as_text(dashboard_json(dashboard)) == as_text(dashboard_json(dashboard))


def test_golden_file_belongs_to_a_dashboard() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {dashboard.uid for dashboard in DASHBOARDS}


@pytest.mark.parametrize("name", export_texts())
def test_compose_provisions_what_is_exported(name: str) -> None:
    diff = differences(PROVISIONING / name, export_texts()[name])
    assert not diff, f"if that is meant: {REWRITE}\n{diff}"


def test_compose_provisions_nothing_else() -> None:
    found = {path.relative_to(PROVISIONING).as_posix() for path in PROVISIONING.rglob("*") if path.is_file()}
    assert found == set(export_texts())


def test_export_leaves_auditors_out_unless_they_have_an_organisation_of_their_own(tmp_path: Path) -> None:
    assert not [path for path in export(tmp_path) if "audit" in path.name]
    written = {path.relative_to(tmp_path).as_posix() for path in export(tmp_path, auditor_org=2)}
    assert {"dashboards/tieline-audit/tieline-audit.json", "datasources/tieline-audit.yaml"} <= written


def test_export_removes_what_is_no_longer_defined_and_nothing_else(tmp_path: Path) -> None:
    export(tmp_path)
    folder = tmp_path / "dashboards" / "tieline"
    for name in ("tieline-old.json", "mine.json"):
        (folder / name).write_text("{}")
    export(tmp_path)
    assert not (folder / "tieline-old.json").exists()
    assert json.loads((folder / "mine.json").read_text()) == {}
