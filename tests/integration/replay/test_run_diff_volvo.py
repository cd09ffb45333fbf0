"""Two replays of the Volvo log whose policies differ in one target: the diff says which ties that is, and no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from deploy.composition.run_diff import RunDiff, diff_runs
from deploy.policy_files import load_policy_book
from schemas.events import Event
from schemas.policy import Policy, PolicyBook
from sinks.clickhouse.run_diff import Asked
from sinks.clickhouse.settings import ClickHouseSettings
from streams.gateway.log_import import LogImport, Mapped, read_mapping
from tests.integration.replay.conftest import KEY
from tests.integration.replay.replaying import POLICIES, ROOT, archive, replayed

CHANGED, KEPT = "volvo-changed", "volvo-kept"
ATOM = "site, communicator_role, experiencer_role, dimension, origin, period_start"


def events(shared_data: Path) -> list[Event]:
    """All tickets of the log as one process, and half of them as another whose target stays as it is."""
    mapping = read_mapping(ROOT / "deploy" / "mappings" / "volvo-problems.yaml")
    log = LogImport(shared_data / "data" / "bpic2013_closed_problems.xes.gz", mapping, None, KEY)
    mapped = [outcome.event for outcome in log if isinstance(outcome, Mapped)]
    half = [event for event in mapped if int(event.subject[-1]) % 2]
    pairs = ((CHANGED, mapped), (KEPT, half))
    return [event.model_copy(update={"process": process}) for process, part in pairs for event in part]


def by_line(role: str) -> str:
    """Teams are too small to be shown; all teams of a support line together are not."""
    return {"2nd": "second line", "3rd": "third line"}.get(role.split()[-1], "first line")


def policies(roles: Sequence[str], accept_s: dict[str, float]) -> PolicyBook:
    (bundled,) = load_policy_book([POLICIES / "volvo-problems.yaml"]).policies
    part = bundled.processes["volvo-problems"].model_dump()
    targets = {process: part | {"targets": {"accept_s": {"default": seconds}}} for process, seconds in accept_s.items()}
    given = bundled.model_dump() | {"processes": targets, "aliases": {role: by_line(role) for role in roles}}
    return PolicyBook((Policy.model_validate(given),))


def shown_atoms(client: Client, run: str) -> set[tuple[Any, ...]]:
    asked = f"run = '{run}', from = '2000-01-01', to = '2020-01-01', process = '', site = ''"
    return {tuple(row) for row in client.query(f"SELECT process, {ATOM} FROM tie_periods({asked})").result_rows}


def rows_by_tie(client: Client, run: str, shared: set[tuple[Any, ...]]) -> dict[tuple[str, ...], set[Any]]:
    """Evidence of the shared atoms, read row by row."""
    sql = f"SELECT process, {ATOM}, work_item, episode_id, rule, ripe, value FROM evidence FINAL WHERE run = '{run}'"
    found: dict[tuple[str, ...], set[Any]] = defaultdict(set)
    for row in client.query(sql).result_rows:
        if tuple(row[:7]) in shared:
            found[row[0], row[2], row[3], row[4], row[5]].add(tuple(row[6:]))
    return found


@pytest.fixture
def diff(settings: ClickHouseSettings, client: Client, shared_data: Path) -> RunDiff:
    log = events(shared_data)
    archive(client, log)
    roles = sorted({str(role) for event in log if (role := getattr(event.data, "role", None))})
    replayed(settings, "four-hours", as_of=None, policies=policies(roles, {CHANGED: 14400.0, KEPT: 14400.0}))
    replayed(settings, "eight-hours", as_of=None, policies=policies(roles, {CHANGED: 28800.0, KEPT: 14400.0}))
    return diff_runs(client, Asked("four-hours", "eight-hours"))


@pytest.mark.shared
def test_one_other_target_explains_exactly_the_ties_that_it_governs(diff: RunDiff, client: Client) -> None:
    shared = shown_atoms(client, "four-hours") & shown_atoms(client, "eight-hours")
    a, b = (rows_by_tie(client, run, shared) for run in ("four-hours", "eight-hours"))
    touched = sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))
    assert len(touched) == 2
    assert {(key[0], key[3]) for key in touched} == {(CHANGED, "timeliness")}

    (effect,) = diff.lines
    assert (effect.line.path, effect.line.a, effect.line.b) == (
        "processes.volvo-changed.targets.accept_s.default", "14400.0", "28800.0",
    )  # fmt: skip
    assert [tuple(tie) for tie in effect.ties] == touched
    assert [tuple(each.tie) for each in diff.changed] == touched
    assert {each.lines for each in diff.changed} == {(1,)}
    assert {each.why for each in diff.changed} == {
        ("policy line 1: processes.volvo-changed.targets.accept_s.default: 14400.0 → 28800.0",)
    }
    assert {tie.process for tie in diff.same} == {CHANGED, KEPT}
    assert {(tie.process, tie.dimension) for tie in diff.not_in_both} == {(CHANGED, "timeliness")}
    assert diff.settings == []
    assert all(each.events == (0, 0) for each in diff.changed)
    for each in diff.changed:
        differing = a[tuple(each.tie)] ^ b[tuple(each.tie)]
        rows = each.rows
        assert rows.only_a + rows.only_b + 2 * (rows.other_value + rows.other_ripeness) == len(differing)
