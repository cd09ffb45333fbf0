"""The blocks of a document that are marked to be run, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(r"^<!-- run: (?P<name>[\w-]+) -->\n```\w+\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_TIMEOUT_S = 120


def blocks(document: str, name: str) -> list[str]:
    """The code of every block that is marked `<!-- run: NAME -->`; there is at least one."""
    text = (DOCS / document).read_text(encoding="utf-8")
    found = [match["code"] for match in _BLOCK.finditer(text) if match["name"] == name]
    assert found, f"{document} has no block for {name}"
    return found


def run_python(code: str, known: Mapping[str, object]) -> dict[str, Any]:
    """Run a block that may use the names that the document says are known; returns all names at its end."""
    names: dict[str, Any] = dict(known)
    exec(compile(code, "document", "exec"), names)
    return names


def run_shell(code: str, folder: Path, env: Mapping[str, str]) -> str:
    """Run a block in bash; returns what it printed. Fails with everything it said if a command fails."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout
