"""The same targets under atheris, which looks for inputs that reach new branches. Atheris is optional."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from schemas.errors import InvalidEvent


def guided(name: str, inputs: int) -> None:
    """Run until `inputs` inputs have been given; atheris ends the process, with an error at a finding.

    Raises: ModuleNotFoundError: atheris is not installed.
    """
    import atheris

    from tests.fuzz.target import target

    with atheris.instrument_imports(include=["streams.gateway"]):
        chosen = target(name)

    def one(data: bytes) -> None:
        with suppress(InvalidEvent):
            chosen.run(data)

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, seed in enumerate(chosen.seeds()):
        (folder / str(number)).write_bytes(seed)
    arguments = [f"-runs={inputs}", f"-max_len={chosen.max_bytes}", "-timeout=5", "-rss_limit_mb=2048", "-seed=1"]
    atheris.Setup([sys.argv[0], *arguments, str(folder)], one)
    atheris.Fuzz()
