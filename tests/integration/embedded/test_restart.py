"""The embedded default is durable: what was open before it ended is open after it starts again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.builders import act, offered
from tests.integration.embedded.tieline import alive, children_of, query, stop, tieline, up

OPEN = 1_000


def write_events(path: Path, events: list[bytes]) -> str:
    path.write_bytes(b"\n".join(events) + b"\n")
    return str(path)


def offers(tmp_path: Path) -> str:
    events = [offered(0, f"h{n}", subject=f"w{n}", id=f"offer-{n}").canonical() for n in range(OPEN)]
    return write_events(tmp_path / "offers.ndjson", events)


def acceptances(tmp_path: Path) -> str:
    events = [act("accepted", 30, "ward", f"h{n}", subject=f"w{n}", id=f"accept-{n}").canonical() for n in range(OPEN)]
    return write_events(tmp_path / "acceptances.ndjson", events)


def states(data: Path) -> dict[str, int]:
    rows = query(data, "SELECT state, count() AS n FROM handoffs FINAL GROUP BY state")
    return {row["state"]: int(row["n"]) for row in rows}


@pytest.mark.long
@pytest.mark.slow
def test_a_thousand_open_handoffs_survive_a_restart_and_then_close(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data):
        tieline("import", offers(tmp_path), "--data", str(data))
        assert states(data) == {"offered": OPEN}
    assert states(data) == {"offered": OPEN}, "at rest"
    with up(data):
        assert states(data) == {"offered": OPEN}
        assert query(data, "SELECT count() AS n FROM open_handoffs") == [{"n": OPEN}]
        tieline("import", acceptances(tmp_path), "--data", str(data))
        assert states(data) == {"accepted": OPEN}
        assert query(data, "SELECT count() AS n FROM open_handoffs") == [{"n": 0}]


@pytest.mark.slow
def test_a_killed_instance_takes_its_children_along_and_comes_back_whole(tmp_path: Path) -> None:
    """kill -9 of everything at once: what the store has acknowledged is there, and what was spooled comes again."""
    data = tmp_path / "data"
    with up(data) as process:
        tieline("import", offers(tmp_path), "--data", str(data), "--no-wait")
        children = children_of(data)
        process.kill()
        process.wait()
        deadline_s = time.monotonic() + 20
        while any(alive(pid) for pid in children.values()):
            assert time.monotonic() < deadline_s, "a child outlived its supervisor"
            time.sleep(0.1)
    with up(data) as process:
        deadline_s = time.monotonic() + 60
        while states(data) != {"offered": OPEN}:
            assert time.monotonic() < deadline_s, states(data)
            time.sleep(0.5)
        stop(process)
    assert states(data) == {"offered": OPEN}


@pytest.mark.slow
def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data) as process:
        children = children_of(data)
        assert {"broker", "store", "infer", "sink"} <= children.keys()
        stop(process)
        assert not any(alive(pid) for pid in children.values())
