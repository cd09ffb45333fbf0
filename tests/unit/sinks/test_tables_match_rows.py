"""The migrations' tables against the row models: a field added to one must be added to the other."""

from __future__ import annotations

import re
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from schemas.dead_letter import DeadLetter
from schemas.measure import Measure
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, WorkItemRow
from schemas.signal import Delivery, Signal
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.records import EventRecord, ProcessRecord, RunRecord

MODELS: dict[str, type[BaseModel]] = {
    "handoffs": HandoffRow,
    "exchanges": ExchangeRow,
    "problems": ProblemRow,
    "evidence": EvidenceRow,
    "work_items": WorkItemRow,
    "dead_letters": DeadLetter,
    "events": EventRecord,
    "processes": ProcessRecord,
    "runs": RunRecord,
    "measures": Measure,
    "signals": Signal,
    "signal_deliveries": Delivery,
}
_COLUMN = re.compile(r"^    `(\w+)` (.+?)(?: (?:CODEC\(.*\)|DEFAULT .*|ALIAS .*|MATERIALIZED .*))?,?$", re.MULTILINE)
_IDEMPOTENT = (
    "DROP VIEW IF EXISTS ",
    "CREATE TABLE IF NOT EXISTS ",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS ",
    "CREATE OR REPLACE VIEW ",
    "ALTER TABLE ",
)


def statements() -> list[str]:
    return [statement for migration in migrations() for statement in migration.statements]


def columns(table: str) -> dict[str, str]:
    """Stored columns of a table, with their types; computed ones and the time of writing left out."""
    (text,) = (text for text in statements() if text.startswith(f"CREATE TABLE IF NOT EXISTS {table}\n"))
    lines = text[: text.index("\n)\n")].splitlines()
    for added in (text for text in statements() if text.startswith(f"ALTER TABLE {table}\n")):
        lines += [line.replace("ADD COLUMN IF NOT EXISTS ", "") for line in added.splitlines() if "ADD COLUMN" in line]
    plain = [line for line in lines if not re.search(r" (ALIAS|MATERIALIZED|DEFAULT) ", line)]
    return dict(_COLUMN.findall("\n".join(plain)))


def kind(annotation: Any) -> str:
    """The family of store types that keeps a field's values exactly."""
    if get_origin(annotation) is Literal:
        return kind(type(get_args(annotation)[0]))
    if get_origin(annotation) is UnionType:
        (inner,) = (part for part in get_args(annotation) if part is not NoneType)
        return f"Nullable({kind(inner)})"
    if get_origin(annotation) is tuple:
        return f"Array({kind(get_args(annotation)[0])})"
    if get_origin(annotation) is dict:
        return f"Map({', '.join(map(kind, get_args(annotation)))})"
    families = {str: "String", bytes: "String", bool: "Bool", int: "Int", float: "Float64"}
    return families.get(annotation) or {datetime: "DateTime64(6, 'UTC')", date: "Date32"}[annotation]


def family(stored: str) -> str:
    return re.sub(r"\bU?Int\d+", "Int", re.sub(r"LowCardinality\((\w+)\)", r"\1", stored))


@pytest.mark.parametrize("table", MODELS)
def test_a_table_has_the_fields_of_its_rows(table: str) -> None:
    fields = {name: kind(field.annotation) for name, field in MODELS[table].model_fields.items()}
    assert {name: family(stored) for name, stored in columns(table).items()} == fields


@pytest.mark.parametrize("table", ["handoffs", "exchanges", "problems", "evidence"])
def test_a_sort_key_holds_nothing_that_a_later_fold_may_change(table: str) -> None:
    (text,) = (text for text in statements() if text.startswith(f"CREATE TABLE IF NOT EXISTS {table}\n"))
    key = re.search(r"ORDER BY \((.*)\)$", text)
    assert key is not None
    unchanging = {"run", "process", "work_item", "episode_id", "rule", "part"}
    assert {part for part in key[1].split(", ") if not part.startswith("toStartOfMonth(")} <= unchanging
    assert "PARTITION BY" not in text


def test_every_statement_may_run_twice() -> None:
    for statement in statements():
        if filled := re.match(r"INSERT INTO (\w+)\n", statement):
            # The same once more changes nothing: it replaces itself, or is counted by distinct ids and largest times.
            (table,) = (made for made in statements() if re.match(rf"CREATE TABLE IF NOT EXISTS {filled[1]}\s", made))
            assert re.search(r"ENGINE = (Aggregating|Replacing)MergeTree", table)
            continue
        if "handoffs_again" in statement:
            continue  # safe as a whole: tests/integration/store/test_migrate.py stops after each of them
        assert statement.startswith(_IDEMPOTENT), statement[:80]
        if statement.startswith("ALTER TABLE "):
            assert "IF NOT EXISTS" in statement or "IF EXISTS" in statement or "MODIFY" in statement


@pytest.mark.parametrize("table", MODELS)
def test_every_instant_is_utc_to_the_microsecond(table: str) -> None:
    instants = [stored for stored in columns(table).values() if "DateTime" in stored]
    assert set(instants) <= {"DateTime64(6, 'UTC')", "Nullable(DateTime64(6, 'UTC'))"}
