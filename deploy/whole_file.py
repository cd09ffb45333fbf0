"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from schemas.errors import ConfigError


@contextmanager
def whole_file(path: Path, mode: int = 0o644, replace: bool = True) -> Iterator[IO[bytes]]:
    """A file to be written beside `path`; under its name once it is whole and on disk, gone if anything failed.

    Args:
        replace: over another file of that name; else such a file is an error.
    Raises: ConfigError: cannot be written, or is there already.
    """
    try:
        with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            written = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                written.chmod(mode)
                if replace:
                    written.replace(path)
                else:
                    os.link(written, path)  # fails where somebody else has made it meanwhile
            finally:
                written.unlink(missing_ok=True)
    except FileExistsError:
        raise ConfigError(f"{path} is there already") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
