"""What ClickHouse's users of the compose file may do, asked of the engine itself with all migrations applied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The report of compose_store.py: the engine opens one folder per process, so it gets a process of its own."""
    environment = os.environ | {
        "TIELINE_WRITER_PASSWORD": "one",
        "TIELINE_READER_PASSWORD": "two",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, str(ROOT / "tests" / "unit" / "compose_store.py"), str(tmp_path_factory.mktemp("store"))]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]
    report: Found = json.loads(ended.stdout)
    return report


def test_engine_takes_the_users_and_settings_of_the_compose_file(found: Found) -> None:
    assert {"tieline", "reader"} <= set(found["users"])


def test_reader_reads_the_views_for_readers_without_any_right_to_a_table(found: Found) -> None:
    from sinks.clickhouse.audiences import views_of

    readable = {name for name, answer in found["reader"].items() if answer == "yes"}
    assert readable == set(views_of("reader"))
    assert {answer for name, answer in found["reader"].items() if name not in readable} == {"denied"}


def test_reader_reaches_neither_files_nor_servers(found: Found) -> None:
    assert (found["file"], found["server"]) == ("denied", "denied")


def test_writer_reads_everything(found: Found) -> None:
    assert set(found["writer"].values()) == {"yes"}
