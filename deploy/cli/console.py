"""What commands print, and what their exit codes mean."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.errors import ConfigError, TielineError, TransientError

UNAVAILABLE_EXIT_CODE = 69
FAILED_EXIT_CODE = 1

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def progress_bar() -> Progress:
    """On standard error, so that output can be piped."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=err
    )


def fail(error: TielineError) -> int:
    """Say what went wrong on standard error; returns the exit code that scripts can use."""
    err.print(f"tieline: {error}", style="bold red", markup=False, soft_wrap=True)
    if isinstance(error, ConfigError):
        return ConfigError.exit_code
    if isinstance(error, TransientError):
        return UNAVAILABLE_EXIT_CODE
    return FAILED_EXIT_CODE
