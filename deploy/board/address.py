"""Where the board listens, and what it takes to listen wider than this machine."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from schemas.errors import ConfigError
from streams.loopback import is_loopback

TOKEN_ENV = "TIELINE_BOARD_TOKEN"
SHORTEST_TOKEN = 16
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port to listen on.

    Attributes:
        token: what a browser has to show; None: nothing, which is only allowed on loopback.
        names: host names that requests may be addressed to, beside addresses and this machine's own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: SecretStr | None = None
    names: frozenset[str] = frozenset()

    @classmethod
    def checked(cls, host: str, port: int, token: str, names: tuple[str, ...] = ()) -> Self:
        """Raises: ConfigError: it would listen beyond this machine without a token, or with one that is easily guessed.

        Operator action: give a file with a long random token, or listen on 127.0.0.1.
        """
        if not token and not is_loopback(host):
            raise ConfigError(
                f"the board would be open to everybody who reaches {host}: give a token with --token-file or"
                f" {TOKEN_ENV}, or listen on 127.0.0.1"
            )
        if token and len(token) < SHORTEST_TOKEN:
            raise ConfigError(f"the board's token is shorter than {SHORTEST_TOKEN} characters")
        return cls(host, port, SecretStr(token) if token else None, frozenset(name.lower() for name in names))

    def answers_to(self, host_header: str) -> bool:
        """Whether a request with this Host header is meant for us.

        A page of another site can make a name of its own point here (DNS rebinding) and then read what we answer. A
        name that we do not know is refused. On loopback only this machine's own names count; listening wider, also
        plain addresses, which nobody can make point elsewhere.
        """
        name = host_name(host_header)
        if name is None:
            return False
        if name in _LOCAL_NAMES or name in self.names:
            return True
        return not is_loopback(self.host) and _is_address(name)


def host_name(host_header: str) -> str | None:
    """The name without its port, in lower case; None: not a host."""
    name = host_header.strip().lower()
    if name.startswith("["):
        inside, closing, rest = name[1:].partition("]")
        return inside if closing and (not rest or _is_port(rest)) and _is_address(inside) else None
    name, colon, port = name.partition(":")
    return name.rstrip(".") if name and (not colon or port.isdigit()) else None


def read_token(path: Path | None) -> str:
    """From the file, else from the environment; empty: none.

    Raises: ConfigError: the file cannot be read or is empty.
    """
    if path is None:
        return os.environ.get(TOKEN_ENV, "").strip()
    try:
        token = path.read_text().strip()
    except OSError as error:
        raise ConfigError(f"the token file {path} cannot be read: {error.strerror}") from None
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_port(rest: str) -> bool:
    return rest.startswith(":") and rest[1:].isdigit()
