"""`docs/integrating.md` alone leads a new integrator to an event on the board, a webhook of their own, and a policy."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy.embedded.instance import running_instance
from tests.integration.embedded.tieline import ROOT, up
from tests.integration.gateway.fenced import blocks, run_shell

PAGE = "integrating.md"
_SHOWN_WITHIN_S = 30.0


def _environment(data: Path, folder: Path) -> dict[str, str]:
    """What the page has its reader export, and the command `tieline` of this checkout."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    tieline = programs / "tieline"
    tieline.write_text(
        f'#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(ROOT))}\nexec {sys.executable} -m deploy.cli "$@"\n'
    )
    tieline.chmod(0o755)
    instance = running_instance(data)
    assert instance is not None
    return {
        "TIELINE_DATA": str(data),
        "GATEWAY": instance.gateway_url.rstrip("/"),
        "TOKEN": (data / "gateway.token").read_text().strip(),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "COLUMNS": "200",
    }


def _board(data: Path) -> str:
    instance = running_instance(data)
    assert instance is not None
    with urlopen(f"{instance.board_url}d/live", timeout=20) as answer:
        return str(answer.read().decode())


def _open(folder: Path, env: dict[str, str]) -> list[dict[str, str]]:
    (code,) = blocks(PAGE, "handoff")
    return [json.loads(line) for line in run_shell(code, folder, env).splitlines()]


@pytest.mark.slow
def test_page_leads_to_an_event_on_the_board_and_a_webhook(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "integrator"
    folder.mkdir()
    with up(data):
        env = _environment(data, folder)
        ready, first = blocks(PAGE, "first")
        run_shell(ready, folder, env)
        assert json.loads(run_shell(first, folder, env))["accepted"] == 2
        _within(lambda: len(_open(folder, env)) == 1)
        assert [(row["from_role"], row["to_role"]) for row in _open(folder, env)] == [("service-desk", "network")]
        _within(lambda: "INC-1001" in _board(data))

        (worked,) = blocks(PAGE, "worked")
        assert json.loads(run_shell(worked, folder, env))["accepted"] == 1
        _within(lambda: _open(folder, env) == [])

        (mapping,) = blocks(PAGE, "mapping")
        shown = run_shell(mapping, folder, env)
        assert "work_item.worked.v1" in shown
        assert "account-31" not in shown
        for name in ("source", "policy"):
            for code in blocks(PAGE, name):
                run_shell(code, folder, env)
    with up(data):
        env = _environment(data, folder)
        (webhook,) = blocks(PAGE, "webhook")
        told = json.loads(run_shell(webhook, folder, env))
        assert (told["accepted"], told["unused"], told["errors"]) == (2, 0, [])
        _within(lambda: "HD-77" in run_shell("tieline sql --format json 'SELECT * FROM events'", folder, env))


def _within(happened: Callable[[], bool]) -> None:
    """Something happens soon."""
    deadline_s = time.monotonic() + _SHOWN_WITHIN_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.3)
