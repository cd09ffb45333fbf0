"""`tieline` as a user runs it: child processes of its own, one data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.embedded.instance import running_instance

ROOT = Path(__file__).parents[3]
_CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}


def tieline(*arguments: str, timeout_s: float = 180.0, env: dict[str, str] | None = None) -> str:
    """Run one command to its end; returns what it printed. Fails with everything it said if it did not exit 0."""
    done = run(*arguments, timeout_s=timeout_s, env=env)
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run(
    *arguments: str, timeout_s: float = 180.0, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command, whatever it exits with."""
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**_CLEAN, **(env or {})}, capture_output=True, text=True, timeout=timeout_s
    )


def query(data: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of `tieline sql`, on a running instance or at rest."""
    return [json.loads(line) for line in tieline("sql", sql, "--format", "json", "--data", str(data)).splitlines()]


@contextmanager
def up(data: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`tieline up` on a data folder; Ctrl-C at the end, if it still runs."""
    command = [sys.executable, "-m", "deploy.cli", "up", "--data", str(data), *options]
    with (data.parent / "up.out").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**_CLEAN, **(env or {})}, stdout=log, stderr=log)
    try:
        _wait_until_up(process, data)
        yield process
        if process.poll() is None:
            stop(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C; it ends cleanly, and with it all children."""
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def children_of(data: Path) -> dict[str, int]:
    """The process ids of a running instance's children."""
    instance = running_instance(data)
    assert instance is not None
    return dict(instance.pids)


def alive(pid: int) -> bool:
    """Whether the process still runs; one that is dead but not collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _wait_until_up(process: subprocess.Popen[bytes], data: Path) -> None:
    deadline_s = time.monotonic() + 90
    while time.monotonic() < deadline_s:
        assert process.poll() is None, (data.parent / "up.out").read_text()
        instance = running_instance(data)
        if instance is not None and {"infer", "sink"} <= instance.pids.keys():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come up")
