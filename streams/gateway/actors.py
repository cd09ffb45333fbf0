"""Names become keyed hashes here, before anything of Tieline writes them down."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from schemas.actor_key import SECRET_BYTES, ActorKey, is_key_id, key_of_line, parse_actor_key
from schemas.errors import ConfigError

__all__ = [
    "ActorKey",
    "is_key_id",
    "key_file_text",
    "key_line",
    "key_of_line",
    "new_actor_key",
    "read_actor_key",
    "read_or_create_actor_key",
    "replace_actor_key",
    "written_aside",
]

_HEADER = (
    "# Tieline actor key, `<key-id>:<64 hex>`. Whoever has it can test whether a name is behind a hash.\n"
    "# Keep it secret, back it up: with another key the same people get other hashes and count as other people.\n"
)


def new_actor_key() -> ActorKey:
    """A random key with a random id: two installations never share an id by accident."""
    return ActorKey(f"k{secrets.token_hex(4)}", secrets.token_bytes(SECRET_BYTES))


def read_actor_key(path: Path) -> ActorKey:
    """The key in a file: one line `<key-id>:<64 hex>` besides blank lines and lines that start with `#`.

    Raises: ConfigError: the file is not there, cannot be read, or holds anything else.
    """
    try:
        return parse_actor_key(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no actor key file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the actor key cannot be read: {_why(error)}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_or_create_actor_key(path: Path) -> ActorKey:
    """The key in a file, which is made with a new key, readable by its owner only, if it is not there.

    Of several processes that find it missing at the same time one makes it and all use that one.

    Raises: ConfigError: the file cannot be made, or is no key file.
    """
    if not path.exists():
        try:
            _create(path, new_actor_key())
        except OSError as error:
            raise ConfigError(f"{path}: the actor key cannot be written: {_why(error)}") from None
    return read_actor_key(path)


def replace_actor_key(path: Path, key: ActorKey) -> None:
    """Put another key into a key file, at once and durably: whoever reads it sees the old or the new one.

    Raises: ConfigError: the file cannot be written.
    """
    try:
        with written_aside(path, key_file_text(key)) as aside:
            os.rename(aside, path)
    except OSError as error:
        raise ConfigError(f"{path}: the actor key cannot be written: {_why(error)}") from None


def key_file_text(key: ActorKey) -> str:
    """What a key file with this key says."""
    return f"{_HEADER}{key_line(key)}\n"


def key_line(key: ActorKey) -> str:
    """`<key-id>:<64 hex>`: the one place where a secret leaves the process, for a file that only its owner can read."""
    return f"{key.key_id}:{key.secret.hex()}"


@contextmanager
def written_aside(path: Path, text: str) -> Iterator[str]:
    """The name of a synced private file (0600) with this text beside `path`, to be renamed or linked there.

    Whatever happened to it is durable afterwards; where nothing did, the file is gone.
    Raises: OSError.
    """
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=".actor-key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield aside
        _sync_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path, key: ActorKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Linked, not renamed: nobody ever sees half a key, and a second writer does not replace the first one's.
    with written_aside(path, key_file_text(key)) as aside, suppress(FileExistsError):
        os.link(aside, path)


def _why(error: OSError | UnicodeDecodeError) -> str:
    # The text of a decoding error repeats bytes of the file, which may be the secret.
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not plain ASCII text"
