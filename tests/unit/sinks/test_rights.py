"""Rights on servers: nobody has more than their work needs."""

from __future__ import annotations

import re

import pytest

from schemas.errors import ConfigError
from sinks.clickhouse.audiences import VIEWS, views_of
from sinks.clickhouse.rights import ReadersOf, rights
from sinks.clickhouse.sharding import SHARDED_BY

WARDS = ReadersOf("wards", ("ed-to-ward", "ward-to-home"))


def granted(statements: list[str], role: str) -> set[tuple[str, str]]:
    """(right, object) pairs of a role."""
    form = rf"GRANT(?: ON CLUSTER `\w+`)? (.+) ON (.+) TO `{role}`"
    return {(found[1], found[2].replace("`", "")) for text in statements if (found := re.fullmatch(form, text))}


@pytest.mark.parametrize("cluster", ["", "two"])
def test_readers_may_read_views_and_nothing_else(cluster: str) -> None:
    statements = rights("tieline", cluster=cluster, readers=[WARDS])
    for user in ("reader", "auditor"):
        assert granted(statements, f"tieline_{user}") == {("SELECT", f"tieline.{view}") for view in views_of(user)}


def test_readers_of_processes_read_what_is_of_processes_and_only_theirs() -> None:
    statements = rights("tieline", readers=[WARDS])
    views = {view for view in views_of("reader") if VIEWS[view].of_processes}
    assert granted(statements, "tieline_reader_wards") == {("SELECT", f"tieline.{view}") for view in views}
    form = (
        r"CREATE ROW POLICY OR REPLACE `tieline_wards` ON `tieline`.`(\w+)` FOR SELECT"
        r" USING process IN \('ed-to-ward', 'ward-to-home'\) AS RESTRICTIVE TO `tieline_reader_wards`"
    )
    assert {found[1] for text in statements if (found := re.fullmatch(form, text))} == views


def test_a_view_is_restricted_before_it_is_granted() -> None:
    statements = rights("tieline", readers=[WARDS])
    granted_at = {
        text.split("`")[3]: at
        for at, text in enumerate(statements)
        if text.endswith("TO `tieline_reader_wards`") and text.startswith("GRANT")
    }
    for at, text in enumerate(statements):
        if "RESTRICTIVE" in text:
            assert at < granted_at.pop(text.split("`")[5])
    assert not granted_at


def test_others_read_as_before_where_some_are_restricted() -> None:
    statements = rights("tieline", readers=[WARDS])
    form = (
        r"CREATE ROW POLICY OR REPLACE `tieline_everybody` ON `tieline`.`(\w+)` FOR SELECT USING 1 AS PERMISSIVE TO ALL"
    )
    open_to_all = {found[1] for text in statements if (found := re.fullmatch(form, text))}
    assert open_to_all == {view for view in views_of("reader") if VIEWS[view].of_processes}
    assert not any("ROW POLICY" in text for text in rights("tieline"))


@pytest.mark.parametrize("cluster", ["", "two"])
def test_a_writer_adds_rows_and_changes_nothing(cluster: str) -> None:
    found = granted(rights("tieline", cluster=cluster), "tieline_writer")
    assert {right for right, _ in found} == {"SELECT", "INSERT", "CREATE TEMPORARY TABLE"}
    assert ("CREATE TEMPORARY TABLE", "*.*") in found
    inserted = {name.rpartition(".")[2] for right, name in found if right == "INSERT"}
    assert inserted < set(SHARDED_BY)
    assert "migrations" not in inserted


def test_only_a_replayer_deletes_and_only_rows_of_runs() -> None:
    statements = rights("tieline")
    deleting = [text for text in statements if "DELETE" in text]
    assert deleting
    assert all(text.endswith("TO `tieline_replayer`") for text in deleting)
    assert not any("`events`" in text for text in deleting)


def test_on_a_cluster_rights_hold_on_every_node() -> None:
    for statement in rights("tieline", cluster="two", readers=[WARDS]):
        assert " ON CLUSTER `two`" in statement


def test_no_statement_holds_a_password() -> None:
    for statement in rights("tieline", readers=[WARDS]):
        assert "IDENTIFIED" not in statement or statement.endswith("NOT IDENTIFIED HOST NONE")


@pytest.mark.parametrize("text", ["", "wards", "wards=", "=ed", "w`=ed", "wards=a\nb", "wards=,"])
def test_readers_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="NAME=PROCESS"):
        ReadersOf.parse(text)


def test_a_process_is_text_whatever_it_is_called() -> None:
    hostile = ReadersOf.parse("x=a') TO ALL --\\")
    policy = next(text for text in rights("tieline", readers=[hostile]) if "RESTRICTIVE" in text)
    assert "USING process IN ('a\\') TO ALL --\\\\') AS RESTRICTIVE" in policy


@pytest.mark.parametrize("name", ["a`b", "x; DROP", "a b"])
def test_a_definer_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not a name"):
        rights("tieline", definer=name)
