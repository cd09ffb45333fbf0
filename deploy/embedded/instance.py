"""The data folder of an embedded instance: where it is, who holds it, and how others find what runs in it.

```
DIR/lock             held by the running instance (or by a query on the folder at rest)
DIR/instance.json    while it runs: pids, ports (owner only; the passwords stay in their own file)
DIR/ports.json       the ports of last time, so that addresses of dashboards stay
DIR/passwords.json   DIR/grants.json   DIR/store/ (chDB)   DIR/logs/
```
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.embedded.front.accounts import ensure_passwords, passwords_path
from schemas.errors import ConfigError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance, as `instance.json` describes it.

    Attributes:
        pid: of the supervisor.
        ports: by service (`broker`, `store`, `board`, `gateway`), on loopback.
        pids: of the children, by name.
    """

    folder: Path
    pid: int
    ports: Mapping[str, int]
    pids: Mapping[str, int] = field(default_factory=dict)

    @property
    def passwords(self) -> dict[str, str]:
        """By user (`tieline`, `reader`, `auditor`). Raises: ConfigError: the file is damaged."""
        return ensure_passwords(self.folder)

    @property
    def board_url(self) -> str:
        """Where a browser on this machine finds the board."""
        return f"http://{LOOPBACK}:{self.ports['board']}/"

    @property
    def gateway_url(self) -> str:
        """Where systems on this machine send their events."""
        return f"http://{LOOPBACK}:{self.ports['gateway']}/"


def default_data_dir(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Where a user's data belongs on this system, `tieline` inside it."""
    given = os.environ if environment is None else environment
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tieline"
    if platform == "win32":
        return Path(given.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tieline"
    return Path(given.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tieline"


def prepare(folder: Path) -> Path:
    """The folder, made if need be, closed to other users, with its passwords drawn.

    Raises: ConfigError: it cannot be made or does not belong to this user.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        (folder / "logs").mkdir(exist_ok=True, mode=0o700)
        ensure_passwords(folder)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be used: {error.strerror}") from error
    return folder.resolve()


@contextmanager
def hold(folder: Path, purpose: str = "an instance") -> Iterator[None]:
    """Have the folder for oneself, until the block ends or the process dies.

    Raises: ConfigError: another process holds it.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise ConfigError(f"the data folder {folder} is already in use by {holder}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()} ({purpose})".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def announced(instance: Instance) -> Iterator[None]:
    """`instance.json` while the block runs, and its ports remembered. Call `announce` again when pids change."""
    announce(instance)
    _write(instance.folder / "ports.json", dict(instance.ports))
    try:
        yield
    finally:
        (instance.folder / "instance.json").unlink(missing_ok=True)


def announce(instance: Instance) -> None:
    described = asdict(instance) | {"folder": None, "passwords": passwords_path(instance.folder).name}
    _write(instance.folder / "instance.json", described)


def running_instance(folder: Path) -> Instance | None:
    """What runs in the folder now; None if nothing does, whatever a crashed one left behind.

    Raises: ConfigError: the file of a running instance is unreadable.
    """
    path = folder / "instance.json"
    if not path.exists() or not _held(folder):
        return None
    try:
        read: dict[str, Any] = json.loads(path.read_text())
        return Instance(folder=folder, pid=int(read["pid"]), ports=dict(read["ports"]), pids=dict(read["pids"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not what an instance writes") from error


def choose_ports(folder: Path, services: Sequence[str]) -> dict[str, int]:
    """A free loopback port per service: last time's where it is still free."""
    try:
        last = {str(name): int(port) for name, port in json.loads((folder / "ports.json").read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        last = {}
    chosen: dict[str, int] = {}
    for service in services:
        remembered = last.get(service, 0)
        usable = remembered not in chosen.values() and _is_free(remembered)
        chosen[service] = remembered if remembered and usable else free_port(tuple(chosen.values()))
    return chosen


def free_port(taken: Sequence[int] = ()) -> int:
    """A loopback port that nobody listens on now."""
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def _held(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, for the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
    os.replace(temporary, path)
