"""Views against the formulas they are written from, and against the list of who may read them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from sinks.clickhouse.audiences import (
    OPERATIONS,
    PIPELINE,
    QUALITY,
    USERS,
    VIEWS,
    server_statements,
    views_of,
    write_grants,
)
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.quality_views import QUALITY_VIEWS, create_view


def newest_views() -> dict[str, str]:
    created = {}
    for migration in migrations():
        for statement in migration.statements:
            found = re.match(r"(CREATE OR REPLACE|DROP) VIEW (?:IF EXISTS )?(\w+)", statement)
            if found:
                created[found[2]] = statement
    return {view: statement for view, statement in created.items() if not statement.startswith("DROP")}


@pytest.mark.parametrize("view", QUALITY_VIEWS)
def test_the_newest_migration_of_a_view_is_written_from_todays_formulas(view: str) -> None:
    """After a release: add a migration with the new text, never edit the old one."""
    assert newest_views()[view] == create_view(view, QUALITY_VIEWS[view])


def test_every_view_has_an_audience() -> None:
    assert set(newest_views()) == set(VIEWS)


def test_nobody_is_granted_a_table() -> None:
    tables = {
        found
        for migration in migrations()
        for found in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", migration.sql)
    }  # fmt: skip
    assert not tables.intersection(VIEWS)


def test_readers_see_figures_open_work_and_the_pipeline_and_auditors_the_rest_too() -> None:
    assert set(views_of("reader")) == {*QUALITY, *OPERATIONS, *PIPELINE}
    assert set(views_of("auditor")) == set(VIEWS)


def test_the_embedded_front_is_told_the_exact_names(tmp_path: Path) -> None:
    write_grants(tmp_path / "grants.json", "tieline")
    written = json.loads((tmp_path / "grants.json").read_text())
    assert written == {user: [f"tieline.{view}" for view in views_of(user)] for user in USERS}


def test_every_view_on_a_server_reads_with_the_rights_of_its_definer() -> None:
    statements = server_statements("tieline", "tieline_definer")
    secured = {found[1] for line in statements if (found := re.search(r"`(\w+)` MODIFY SQL SECURITY DEFINER", line))}
    assert secured == set(VIEWS)
    granted = {found.groups() for line in statements if (found := re.search(r"`(\w+)` TO `tieline_(\w+)`", line))}
    assert granted == {(view, user) for user in USERS for view in views_of(user)}


@pytest.mark.parametrize("name", ["a`b", "", "x; DROP"])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not a name"):
        server_statements("tieline", name)
