"""Who may ask: four users per data folder, their random passwords, and what each may read."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

WRITER = "tieline"
READER = "reader"
AUDITOR = "auditor"
OWNER = "owner"
USERS = (WRITER, READER, AUDITOR, OWNER)

_HARMLESS_SYSTEM = (
    "system.one",
    "system.numbers",
    "system.zeros",
    "system.settings",
    "system.functions",
    "system.time_zones",
    "system.formats",
    "system.data_type_families",
)
_READER = (*_HARMLESS_SYSTEM, "tieline.quality_*", "tieline.operations_*", "tieline.ties", "tieline.open_handoffs")
# The folder's owner looks at every table (`tieline sql`), but writes nothing and reaches no file or server.
_OWNER = ("tieline.*", "system.*")
DEFAULT_GRANTS: Mapping[str, Sequence[str]] = {READER: _READER, AUDITOR: (*_READER, "tieline.auditor_*")}


@dataclass(frozen=True, slots=True)
class Account:
    """A user who has shown the right password.

    Attributes:
        grants: patterns `database.table` (`*`: any characters) that a read-only user may name; None: everything.
    """

    name: str
    grants: tuple[str, ...] | None

    @property
    def read_only(self) -> bool:
        return self.grants is not None

    def may_read(self, database: str, table: str) -> bool:
        return self.grants is None or any(_matches(pattern, database, table) for pattern in self.grants)


def _matches(pattern: str, database: str, table: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", "[^.]*")
    return re.fullmatch(expression, f"{database}.{table}") is not None and "." not in table


def passwords_path(folder: Path) -> Path:
    return folder / "passwords.json"


def ensure_passwords(folder: Path) -> dict[str, str]:
    """The folder's passwords; made at first use, readable by the owner only.

    Raises: ConfigError: the file is not what this wrote.
    """
    path = passwords_path(folder)
    if not path.exists():
        drawn = {user: secrets.token_hex(24) for user in USERS}
        temporary = path.with_suffix(f".{os.getpid()}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(drawn, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    try:
        stored = json.loads(path.read_text())
        return {user: str(stored[user]) for user in USERS}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged: remove it to have new passwords made") from error


def load_grants(folder: Path) -> dict[str, tuple[str, ...]]:
    """What read-only users may read: `grants.json` in the folder, or the default.

    The file maps a user to a list of `database.table` patterns. A user that it does not name keeps the default.

    Raises: ConfigError: not such a mapping.
    """
    path = folder / "grants.json"
    chosen: dict[str, Sequence[str]] = dict(DEFAULT_GRANTS)
    if path.exists():
        try:
            read = json.loads(path.read_text())
            chosen |= {str(user): [str(pattern) for pattern in patterns] for user, patterns in read.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"{path} is not a mapping of user to list of database.table patterns") from error
    return {OWNER: _OWNER} | {user: (*_HARMLESS_SYSTEM, *chosen[user]) for user in (READER, AUDITOR)}


class Accounts:
    """Checks names and passwords; reads `grants.json` again when it changes, so that a migration needs no restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passwords = ensure_passwords(folder)
        self._grants = load_grants(folder)
        self._grants_stamp = self._stamp()

    def authenticate(self, name: str, password: str) -> Account | None:
        """The account, or None; takes the same time whether the name or the password is wrong."""
        expected = self._passwords.get(name, secrets.token_hex(24))
        if not hmac.compare_digest(expected.encode(), password.encode()) or name not in self._passwords:
            return None
        return self.account(name)

    def account(self, name: str) -> Account:
        """A known user, without asking for the password: for the owner of the folder."""
        stamp = self._stamp()
        if stamp != self._grants_stamp:
            self._grants, self._grants_stamp = load_grants(self._folder), stamp
        return Account(name, None if name == WRITER else self._grants[name])

    def _stamp(self) -> tuple[int, int]:
        try:
            status = (self._folder / "grants.json").stat()
        except FileNotFoundError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)
