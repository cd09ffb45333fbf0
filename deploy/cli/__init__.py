"""`tieline`: the command line. Every command is thin; what it does lives elsewhere."""

from __future__ import annotations

import os
import sys

# Time zones come from the tzdata package, not from the machine: rows must not depend on where they were made.
os.environ.setdefault("PYTHONTZPATH", "")
# Matrices are small here: threads of numpy's libraries would only wait for each other, at many times the cost.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from deploy.cli.commands import app
from deploy.cli.console import fail
from schemas.errors import TielineError

__all__ = ["app", "main"]


def main() -> None:
    """The console script. Exit codes: 0 done, 1 failed, 2 wrong usage, 69 a service is away, 78 wrong configuration."""
    try:
        app()
    except TielineError as error:
        sys.exit(fail(error))
