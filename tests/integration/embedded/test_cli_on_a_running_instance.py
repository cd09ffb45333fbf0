"""The commands that look at a running instance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import assigned, offered, worked
from tests.integration.embedded.tieline import children_of, query, run, tieline, up


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("instance")
    log = folder / "events.ndjson"
    events = [assigned(0, "a"), assigned(10, "b"), worked(20, "b"), offered(0, subject="w2", site="north")]
    log.write_bytes(b"\n".join(event.canonical() for event in events))
    with up(folder / "data"):
        tieline("import", str(log), "--data", str(folder / "data"))
        yield folder / "data"


@pytest.mark.slow
def test_status_says_that_all_is_there(data: Path) -> None:
    report = json.loads(tieline("status", "--json", "--data", str(data)))
    assert report["missing"] == []
    assert report["tables"]["events"] == 4
    assert report["tables"]["handoffs"] == 2
    assert report["newest"] == "2026-01-05 08:20:00 UTC"
    assert {(entry["group"], entry["behind"]) for entry in report["lag"]} == {("tieline-infer", 0), ("tieline-sink", 0)}
    assert len(report["lag"]) == 48


@pytest.mark.slow
def test_topics_are_described(data: Path) -> None:
    assert "tieline.events" in tieline("topics", "describe", "--data", str(data))


@pytest.mark.slow
def test_sql_prints_tables_csv_and_json(data: Path) -> None:
    assert query(data, "SELECT site FROM open_handoffs") == [{"site": "north"}]
    assert tieline("sql", "SELECT 1 AS one", "--format", "csv", "--data", str(data)) == '"one"\n1\n'
    assert "one" in tieline("sql", "SELECT 1 AS one", "--data", str(data))


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO handoffs SELECT * FROM handoffs",
        "DROP TABLE handoffs",
        "SELECT * FROM file('/etc/passwd', LineAsString)",
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT 1 INTO OUTFILE 'x'",
        "SELECT nonsense",
    ],
)
def test_sql_refuses_what_is_not_reading(data: Path, statement: str) -> None:
    done = run("sql", statement, "--data", str(data))
    assert done.returncode == 1
    assert "tieline: Code" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_folder_in_use_is_refused(data: Path) -> None:
    done = run("up", "--data", str(data))
    assert done.returncode == 78
    assert "already in use" in done.stderr


@pytest.mark.slow
def test_the_whole_of_it_stays_below_its_memory_limit(data: Path) -> None:
    """Resident memory of all processes, shared pages counted once for each; the limit is 1.2 GB."""
    from deploy.embedded.instance import running_instance

    instance = running_instance(data)
    assert instance is not None
    resident = sum(_resident_bytes(pid) for pid in [instance.pid, *children_of(data).values()])
    assert resident < 1.2e9


def _resident_bytes(pid: int) -> int:
    import psutil

    return int(psutil.Process(pid).memory_info().rss)
