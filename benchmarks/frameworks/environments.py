"""Virtual environments for contenders whose packages Tieline does not need, kept in a cache folder.

Each sees the packages of this process's environment too, behind its own: quixstreams gets the older pydantic that it
asks for, and decode and fold run with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from hashlib import sha256
from pathlib import Path

from benchmarks.frameworks.contenders import Contender

CACHE_VARIABLE = "TIELINE_BENCH_CACHE"
_INSTALL_TIMEOUT_S = 900


class CannotRunError(Exception):
    """A contender that cannot take part here, and why."""


def cache_folder() -> Path:
    """`TIELINE_BENCH_CACHE`, else `tieline/benchmarks` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser() / "tieline" / "benchmarks"


def python_for(contender: Contender) -> Path:
    """The interpreter with what it requires, installed if it is not there yet.

    Raises: CannotRunError: its packages cannot be installed.
    """
    if not contender.requires:
        return Path(sys.executable)
    wanted = "\n".join((sys.version, sysconfig.get_path("purelib"), *contender.requires))
    folder = cache_folder() / f"{contender.name}-{sha256(wanted.encode()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        _install(folder, python, contender.requires)
        done.touch()
    return python


def _install(folder: Path, python: Path, requires: tuple[str, ...]) -> None:
    venv.create(folder, with_pip=True, clear=True)
    _run([str(python), "-m", "pip", "install", "--quiet", "--no-compile", *requires])
    # After the environment's own packages, so that these win.
    own = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    (Path(own) / "zz-tieline.pth").write_text(sysconfig.get_path("purelib") + "\n")


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRunError(f"{command[0]}: {type(error).__name__}") from error
    if done.returncode:
        raise CannotRunError((done.stderr or done.stdout).strip().splitlines()[-1][:300])
    return done.stdout
