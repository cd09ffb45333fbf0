"""The operations guide is true: metrics, lines of the log and alerts that it names are there, and all are named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from deploy.grafana.alerts import alerts
from deploy.log_lines import FIELDS, FORMAT_ENV
from sinks.clickhouse.faults import KINDS
from streams.apps.infer.metrics import INFER, REFUSED
from streams.apps.signals.metrics import SIGNALS
from streams.apps.sink.metrics import RETRIES, SINK
from streams.gateway.metrics import METRICS
from streams.telemetry.metric import Metric
from streams.telemetry.worker_metrics import WORKER

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
ALL: dict[str, Metric] = {metric.name: metric for metric in (*INFER, *SINK, *SIGNALS, *METRICS)}
NAMED = re.compile(r"`(tieline_[a-z_]+)(?:\{(\w+)=\"(\w+)\"\})?")
OURS = ("sinks", "streams", "deploy", "schemas")


def section(heading: str) -> str:
    """What is under a heading, up to the next one of its level."""
    start = GUIDE.index(f"\n## {heading}\n")
    end = GUIDE.find("\n## ", start + 4)
    return GUIDE[start:end]


def faults() -> list[list[str]]:
    """Rows of the table: fault, lines of the log, metric, what to do."""
    rows = [line.strip("| ").split(" | ") for line in section("Faults").splitlines() if line.startswith("| ")]
    return [row for row in rows if row[0] != "fault"]


@cache
def said_in_the_source() -> list[str]:
    """Every text in our code, with `…` for what is filled in."""
    found: list[str] = []
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            found += _texts(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[-.\d]*[sdrf]", "…", node.value)


def test_table_has_every_fault_with_four_columns() -> None:
    assert len(faults()) > 30
    assert all(len(row) == 4 and all(row) for row in faults())


@pytest.mark.parametrize("row", faults(), ids=lambda row: row[0])
def test_line_of_the_log_in_the_table_is_in_the_source(row: list[str]) -> None:
    lines = [line for line in re.findall(r"`([^`]+)`", row[1]) if line != "InvalidTimestamp"]  # a name of Kafka's
    assert lines
    for line in lines:
        words = re.sub(r": run …$", ": run", line).rstrip("…").strip()
        assert any(words in said for said in said_in_the_source()), line


@pytest.mark.parametrize("row", faults(), ids=lambda row: row[0])
def test_metric_in_the_table_is_counted(row: list[str]) -> None:
    named = NAMED.findall(row[2])
    assert named or row[2].startswith("none: ") or "`process_" in row[2]
    for name, label, _ in named:
        assert name in ALL, name
        assert not label or label in ALL[name].labels, f"{name}{{{label}}}"


def test_every_kind_of_trouble_of_the_store_has_its_row() -> None:
    text = " ".join(row[2] for row in faults())
    told = set(re.findall(rf"{RETRIES.name}\{{error=\"(\w+)\"\}}", text)) | set(re.findall(r"or `\"(\w+)\"`", text))
    assert told == KINDS


def test_reason_of_a_refusal_in_the_table_is_one_that_is_given() -> None:
    text = " ".join(row[2] for row in faults())
    told = set(re.findall(rf"{REFUSED.name}\{{reason=\"(\w+)\"\}}", text))
    assert told == {"not_json", "future", "oversize", "conflict"}
    assert told <= set(said_in_the_source())


def test_every_metric_of_a_worker_is_listed_as_it_is() -> None:
    text = section("Metrics and health")
    for metric in {*WORKER, *INFER, *SINK, *SIGNALS}:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |" in text


def test_metric_that_the_guide_names_anywhere_is_counted() -> None:
    for name in re.findall(r"\btieline_[a-z_]+\b", GUIDE):
        assert name in ALL or name.removesuffix("_count") in ALL, name


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    told = re.findall(r"^### Alert: (.+)$", GUIDE, re.MULTILINE)
    assert told == [alert.title for alert in alerts()]


def test_every_field_of_a_line_is_in_the_guide() -> None:
    text = section("Logs")
    assert FORMAT_ENV in text
    for field in ("at", "level", "logger", "event", "error", *FIELDS):
        assert f"`{field}`" in text, field
