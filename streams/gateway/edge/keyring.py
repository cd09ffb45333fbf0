"""The keys that count: one makes new hashes, earlier ones and those of other sites are known by their ids."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from schemas.errors import ConfigError
from streams.gateway.actors import (
    ActorKey,
    is_key_id,
    key_line,
    key_of_line,
    new_actor_key,
    read_actor_key,
    read_or_create_actor_key,
    replace_actor_key,
    written_aside,
)

CHECK_EVERY_S = 1.0
_HEADER = (
    "# Tieline: actor keys that are known beside the current one, written by `tieline keys`.\n"
    "# `<key-id>:<64 hex>` is an earlier key of this site: keep it secret. `<key-id>` alone is a key of another site.\n"
)
_Versions = tuple[tuple[int, int, int] | None, ...]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keys:
    """What a keyring holds at one time.

    Attributes:
        current: makes all new hashes.
        earlier: were current before, newest first. Their hashes are taken, and role maps may still use them.
        foreign: ids of keys of other sites; their hashes are taken.
    """

    current: ActorKey
    earlier: tuple[ActorKey, ...] = ()
    foreign: frozenset[str] = frozenset()

    @cached_property
    def registered(self) -> frozenset[str]:
        """The ids of all of them; a hash of any other key is refused."""
        return self.foreign | {key.key_id for key in self.own}

    @cached_property
    def own(self) -> tuple[ActorKey, ...]:
        """The current key, then the earlier ones."""
        return (self.current, *self.earlier)


def beside(path: Path) -> Path:
    """The file of the other keys: `actor.keys` beside `actor.key`."""
    return path.with_name(f"{path.name}s")


def read_keys(path: Path) -> Keys:
    """The current key in `path`, the others in the file beside it, if there is one.

    Raises: ConfigError: a file cannot be read or holds anything else. It says which line, never what is in it.
    """
    current = read_actor_key(path)  # first: a rotation writes the other file first, so nothing is ever missing
    earlier: dict[str, ActorKey] = {}
    foreign: set[str] = set()
    for number, line in _lines(beside(path)):
        key = key_of_line(line)
        if key is None and not is_key_id(line):
            raise ConfigError(f"{beside(path)}, line {number}: expected `<key-id>` or `<key-id>:<64 hex digits>`")
        if key is None:
            foreign.add(line)
        elif earlier.setdefault(key.key_id, key) != key or (key.key_id == current.key_id and key != current):
            raise ConfigError(f"{beside(path)}, line {number}: another key has the id {key.key_id} too")
    earlier.pop(current.key_id, None)
    return Keys(current, tuple(earlier.values()), frozenset(foreign - earlier.keys() - {current.key_id}))


def rotate(path: Path) -> Keys:
    """Make a new current key; the one before it stays known, so that people of both times are still told apart.

    Atomic: whoever reads meanwhile, or after a crash at any moment, has a current key and knows every earlier one.

    Raises: ConfigError: there is no key yet, or a file cannot be written.
    """
    with _alone(path):
        keys = read_keys(path)
        changed = Keys(new_actor_key(), keys.own, keys.foreign)
        _write_others(path, changed)
        replace_actor_key(path, changed.current)
    return changed


def register(path: Path, key_id: str) -> Keys:
    """Take hashes of another site's key from now on. Nothing happens if it is known.

    Raises: ConfigError: no key id, there is no key yet, or a file cannot be written.
    """
    if not is_key_id(key_id):
        raise ConfigError("a key id is 1 to 32 of a-z 0-9 _ -, and starts with a letter or digit")
    with _alone(path):
        keys = read_keys(path)
        if key_id in keys.registered:
            return keys
        changed = replace(keys, foreign=keys.foreign | {key_id})
        _write_others(path, changed)
    return changed


class Keyring:
    """The keys in force now. Follows its files: they are looked at every second, when somebody asks.

    Files that can no longer be read change nothing, and are logged once: intake goes on with the keys it has.
    """

    def __init__(self, keys: Keys, path: Path | None = None, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._path, self._clock_s = keys, path, clock_s
        self._seen: _Versions = ()  # of what is on disk: the files may have changed since they were read
        self._look_at_s = clock_s() + CHECK_EVERY_S

    @classmethod
    def in_file(cls, path: Path, clock_s: Callable[[], float] = time.monotonic) -> Keyring:
        """The keyring of a key file, which is made if it is not there. Raises: ConfigError."""
        read_or_create_actor_key(path)
        return cls(read_keys(path), path, clock_s)

    def keys(self) -> Keys:
        """The keys in force. Cost: 0.1 µs."""
        if self._path is not None and self._clock_s() >= self._look_at_s:
            self._look_at_s = self._clock_s() + CHECK_EVERY_S
            self._look(self._path)
        return self._keys

    def _look(self, path: Path) -> None:
        versions = _versions(path)
        if versions == self._seen:
            return
        self._seen = versions
        try:
            keys = read_keys(path)
        except ConfigError as error:
            _log.error("the actor keys changed, but cannot be used; going on with those from before: %s", error)
            return
        if keys != self._keys:
            self._keys = keys
            _log.info("actor keys changed, the current one is %s", keys.current.key_id)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: it is not plain ASCII text") from None
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _write_others(path: Path, keys: Keys) -> None:
    lines = [*map(key_line, keys.earlier), *sorted(keys.foreign)]
    try:
        with written_aside(path, _HEADER + "".join(f"{line}\n" for line in lines)) as aside:
            os.rename(aside, beside(path))
    except OSError as error:
        raise ConfigError(f"{beside(path)}: cannot be written: {error.strerror}") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One writer at a time. The folder itself is locked, so that no lock file is left behind."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(f"{path}: there is no actor key file: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _versions(path: Path) -> _Versions:
    found: list[tuple[int, int, int] | None] = []
    for file in (path, beside(path)):
        stat = None
        with suppress(OSError):
            stat = file.stat()
        found.append((stat.st_mtime_ns, stat.st_ino, stat.st_size) if stat else None)
    return tuple(found)
