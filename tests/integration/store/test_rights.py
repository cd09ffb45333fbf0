"""Rights on servers, enforced by the engine: one account at a time, as its roles are granted things."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_core import to_json

from schemas.policy import Policy, PolicyBook
from sinks.clickhouse.audiences import VIEWS, views_of
from sinks.clickhouse.migrate import first_statements, migrations
from sinks.clickhouse.names import names_of
from sinks.clickhouse.records import process_records, process_row
from sinks.clickhouse.rights import DELETED_FROM, WRITTEN, ReadersOf, rights
from sinks.clickhouse.sharding import SHARDED_BY
from sinks.clickhouse.windows_sql import reaggregate_quarter
from tests.integration.store.one_account import put_account
from tests.integration.store.rows import START, encoded, evidence, handoff, policies

DATABASE = "tieline"
WARDS = ReadersOf("wards", ("ed-to-ward",))
STATEMENTS = rights(DATABASE, readers=[WARDS])
PROCESSES = ("ed-to-ward", "incident")
DENIED = "497"
Ask = Callable[[str], Mapping[str, str]]


@contextmanager
def account(folder: Path, *roles: str, readonly: int = 0) -> Iterator[Ask]:
    """Somebody with these roles; with none, an administrator."""
    put_account(folder, DATABASE, STATEMENTS, [f"{DATABASE}_{role}" for role in roles], readonly)
    command = [sys.executable, "-m", "tests.integration.store.one_account", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdin
        assert engine.stdout
        given, answers = engine.stdin, engine.stdout

        def ask(statement: str) -> Mapping[str, str]:
            given.write(json.dumps(statement) + "\n")
            given.flush()
            found: Mapping[str, str] = json.loads(answers.readline())
            return found

        yield ask
        given.close()
        assert engine.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two processes, whose views read as a definer."""
    folder = tmp_path_factory.mktemp("rights")
    with account(folder) as ask:
        for statement in first_statements(DATABASE, None):
            assert "rows" in ask(statement)
        ask(f"USE {DATABASE}")
        for statement in (text for migration in migrations() for text in migration.statements):
            answer = ask(statement)
            assert "rows" in answer, answer
        for statement in STATEMENTS:
            if "SQL SECURITY" in statement:
                answer = ask(statement)
                assert "rows" in answer, answer
        for table, row in _rows():
            answer = ask(f"INSERT INTO {table} FORMAT JSONEachRow {row.decode()}")
            assert "rows" in answer, answer
    return folder


def _rows() -> Iterator[tuple[str, bytes]]:
    """A handoff of each of two processes, with what the policy promises and the name of its tie."""
    policy = Policy(version="p1", effective_from=START - timedelta(days=400), processes=policies())
    for record in process_records(PolicyBook((policy,)), "live", PROCESSES):
        yield "processes", process_row(record)
    rows = encoded([handoff(process=process) for process in PROCESSES])
    yield from (("handoffs", row) for row in rows)
    yield from (("tie_names", to_json(name._asdict())) for name in names_of("handoffs", rows))


def asked(view: str) -> str:
    period = f"from='{START - timedelta(days=40):%Y-%m-%d}', to='{START + timedelta(days=40):%Y-%m-%d}'"
    also = "".join(f", {name}='live'" for name in VIEWS[view].also_takes)
    given = f"(run='live', {period}, process='', site=''{also})" if VIEWS[view].takes_period else ""
    return f"SELECT * FROM {DATABASE}.{view}{given}"


@pytest.mark.parametrize("user", ["reader", "auditor"])
def test_a_reader_reads_its_views_and_no_table(folder: Path, user: str) -> None:
    with account(folder, user, readonly=2) as ask:
        for view in VIEWS:
            if user == "auditor" and VIEWS[view].takes_period:
                continue  # they take long, and are granted as those of readers are
            answer = ask(asked(view))
            assert ("rows" in answer) == (view in views_of(user)), (view, answer)
        for table in SHARDED_BY:
            assert ask(f"SELECT count() FROM {DATABASE}.{table}").get("error") == DENIED, table
        assert ask("SELECT * FROM file('/etc/hostname', 'LineAsString')").get("error") in (DENIED, "164")


def test_readers_of_a_process_see_nothing_of_another(folder: Path) -> None:
    with account(folder, "reader", readonly=2) as ask:
        assert (
            ask(f"SELECT DISTINCT process FROM {DATABASE}.open_handoffs ORDER BY 1")["rows"] == "ed-to-ward\nincident\n"
        )
        both = ask(f"SELECT count() FROM ({asked('ties')})")["rows"]
    with account(folder, "reader_wards", readonly=2) as ask:
        assert ask(f"SELECT DISTINCT process FROM {DATABASE}.open_handoffs")["rows"] == "ed-to-ward\n"
        assert ask(f"SELECT DISTINCT process FROM ({asked('ties')})")["rows"] == "ed-to-ward\n"
        assert 0 < int(ask(f"SELECT count() FROM ({asked('ties')})")["rows"]) < int(both)
        for view in views_of("reader"):
            answer = ask(asked(view))
            assert ("rows" in answer) == VIEWS[view].of_processes, (view, answer)
            if "rows" in answer:
                assert "incident" not in answer["rows"], view


def test_views_of_processes_are_those_with_a_process(folder: Path) -> None:
    with account(folder) as ask:
        columns = {view: ask(f"DESCRIBE TABLE ({asked(view)})")["rows"] for view in VIEWS}
    named = {view for view, text in columns.items() if text.startswith("process\t") or "\nprocess\t" in text}
    assert {view for view in VIEWS if VIEWS[view].of_processes} == named


def test_a_writer_adds_rows_and_their_windows_and_changes_nothing(folder: Path) -> None:
    with account(folder, "writer") as ask:
        ask(f"USE {DATABASE}")
        for row in encoded([evidence("w1"), evidence("w2")]):
            assert "rows" in ask(f"INSERT INTO evidence FORMAT JSONEachRow {row.decode()}")
        quarter = (
            reaggregate_quarter().replace("{run:String}", "'live'").replace("{first:Date32}", "toDate32('2026-01-01')")
        )
        for statement in (quarter, "SELECT * FROM format(JSONEachRow, 'a String', '{\"a\":\"b\"}')"):
            answer = ask(statement)
            assert "rows" in answer, answer
        for statement in _changes():
            assert ask(statement).get("error") == DENIED, statement
        assert ask("INSERT INTO migrations (number) VALUES (999)").get("error") == DENIED


def _changes() -> list[str]:
    return [
        "DELETE FROM evidence WHERE 1",
        "ALTER TABLE evidence DELETE WHERE 1",
        "TRUNCATE TABLE evidence",
        "DROP TABLE evidence",
        "ALTER TABLE evidence ADD COLUMN more UInt8",
        "CREATE TABLE more (a UInt8) ENGINE = MergeTree ORDER BY a",
        "CREATE OR REPLACE VIEW ties AS SELECT 1",
        "OPTIMIZE TABLE tie_windows FINAL",
    ]


def test_a_writer_may_insert_wherever_apps_do(folder: Path) -> None:
    with account(folder, "writer") as ask:
        for table in WRITTEN:
            answer = ask(f"INSERT INTO {DATABASE}.{table} SELECT * FROM {DATABASE}.{table} WHERE 0")
            assert "rows" in answer, answer


def test_a_replayer_deletes_rows_of_runs_and_no_event(folder: Path) -> None:
    with account(folder, "replayer") as ask:
        for table in DELETED_FROM:
            column = "batch" if table == "look_ups" else "run"
            answer = ask(f"DELETE FROM {DATABASE}.{table} WHERE {column} = 'none'")
            assert "rows" in answer, answer
        assert "rows" in ask(f"OPTIMIZE TABLE {DATABASE}.tie_windows FINAL")
        for table in ("events", "migrations", "interventions", "surveys", "promotions"):
            assert ask(f"DELETE FROM {DATABASE}.{table} WHERE 1").get("error") == DENIED, table


def test_a_migrator_makes_everything_and_nobody(tmp_path: Path) -> None:
    with account(tmp_path, "migrator") as ask:
        for statement in first_statements(DATABASE, None):
            answer = ask(statement)
            assert "rows" in answer, answer
        ask(f"USE {DATABASE}")
        for statement in (text for migration in migrations() for text in migration.statements):
            answer = ask(statement)
            assert "rows" in answer, (statement[:120], answer)
        assert ask("CREATE USER somebody").get("error") == DENIED
