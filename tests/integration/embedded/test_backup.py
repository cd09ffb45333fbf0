"""A copy of the data folder is a backup: put back after everything was lost, it holds the same, and work goes on."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from deploy.composition.target import target_of
from deploy.embedded.instance import running_instance
from sinks.clickhouse.content_hash import Content, content_hash
from sinks.clickhouse.settings import connect
from tests.builders import act, offered
from tests.integration.embedded.tieline import query, tieline, up

ITEMS = 100
OBSERVED = {"process": "ed-to-ward", "source": "urn:demo/ehr"}
"""What the demo's policy judges, so that there is evidence, too."""
AS_OF = {"TIELINE_AS_OF": "2026-06-01T00:00:00Z"}


def events_file(path: Path, events: list[bytes]) -> str:
    path.write_bytes(b"\n".join(events) + b"\n")
    return str(path)


def contents(data: Path) -> dict[str, Content]:
    """What the running instance holds."""
    instance = running_instance(data)
    assert instance is not None
    client = connect(target_of(instance).clickhouse)
    try:
        return content_hash(client)
    finally:
        client.close()


def back_up(data: Path, archive: Path) -> None:
    """As the operations guide says: nothing runs, the whole folder."""
    with tarfile.open(archive, "w") as tar:
        tar.add(data, arcname=data.name)


def bring_back(archive: Path, data: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(data.parent, filter="tar")


@pytest.mark.long
@pytest.mark.slow
def test_a_restored_copy_of_the_folder_holds_the_same_and_open_work_goes_on(tmp_path: Path) -> None:
    data, archive = tmp_path / "data", tmp_path / "tieline.tar"
    offers = [offered(0, f"h{n}", subject=f"w{n}", id=f"o{n}", **OBSERVED).canonical() for n in range(ITEMS)]
    answers = [
        act("accepted", 30, "ward", f"h{n}", subject=f"w{n}", id=f"a{n}", **OBSERVED).canonical() for n in range(ITEMS)
    ]
    with up(data, env=AS_OF):
        first = events_file(tmp_path / "first.ndjson", [*offers, *answers[: ITEMS // 2]])
        tieline("import", first, "--data", str(data))
        before = contents(data)
    assert before["handoffs"].rows == ITEMS
    assert before["tie_windows"].rows
    secrets = {name: (data / name).read_bytes() for name in ("actor.key", "passwords.json")}
    back_up(data, archive)
    shutil.rmtree(data)

    bring_back(archive, data)
    assert {name: (data / name).read_bytes() for name in secrets} == secrets
    assert (data.stat().st_mode & 0o077, (data / "actor.key").stat().st_mode & 0o077) == (0, 0)
    with up(data, env=AS_OF):
        assert contents(data) == before
        tieline("import", events_file(tmp_path / "rest.ndjson", answers[ITEMS // 2 :]), "--data", str(data))
        states = query(data, "SELECT state, count() AS n FROM handoffs FINAL GROUP BY state")
    assert states == [{"state": "accepted", "n": ITEMS}]
