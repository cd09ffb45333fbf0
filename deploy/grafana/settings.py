"""Where Grafana is, who we are there, and how Grafana reaches ClickHouse."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from schemas.errors import ConfigError

URL_ENV = "GRAFANA_URL"
TOKEN_ENV = "GRAFANA_TOKEN"
READER_PASSWORD_ENV = "TIELINE_READER_PASSWORD"
AUDITOR_PASSWORD_ENV = "TIELINE_AUDITOR_PASSWORD"


class GrafanaSettings(BaseModel):
    """One Grafana and a token for it. `ca_file`: who signs its certificate, in PEM, where the system does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    token: SecretStr
    ca_file: Path | None = None
    timeout_s: float = Field(default=30.0, gt=0)

    @classmethod
    def of(
        cls,
        url: str | None,
        token_file: Path | None = None,
        ca_file: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Self:
        """As given, else from GRAFANA_URL and GRAFANA_TOKEN.

        Raises: ConfigError: no URL or no token, or one that cannot be right. The message never repeats the token.
        """
        env = os.environ if env is None else env
        address = _base_url(url or env.get(URL_ENV, ""), "--grafana")
        if ca_file is not None and not ca_file.is_file():
            raise ConfigError(f"--ca-file: no such file: {ca_file}")
        return cls(url=address, token=_token(token_file, env), ca_file=ca_file)


class ClickHouseAddress(BaseModel):
    """ClickHouse's HTTP interface as *Grafana* reaches it, which is not always how we do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int = Field(ge=1, le=65535)
    secure: bool = False
    database: str = Field(default="tieline", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """`http[s]://host[:port][/database]`.

        Raises: ConfigError: not such a URL, or one with a user or password in it.
        """
        base = _base_url(url, "--clickhouse-url")
        parts = urlsplit(base)
        secure = parts.scheme == "https"
        try:
            return cls(
                host=parts.hostname or "",
                port=parts.port or (8443 if secure else 8123),
                secure=secure,
                database=parts.path.strip("/") or "tieline",
            )
        except ValueError:
            raise ConfigError("--clickhouse-url: port or database name out of range") from None


def read_secret(path: Path | None, name: str, option: str, env: Mapping[str, str] | None = None) -> SecretStr | None:
    """The first line of a file, else an environment variable; None if neither is there.

    Raises: ConfigError: the file cannot be read, or is empty.
    """
    env = os.environ if env is None else env
    if path is None:
        return SecretStr(env[name]) if env.get(name) else None
    try:
        secret = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option}: cannot read {path}: {getattr(error, 'strerror', None) or 'not text'}") from None
    if not secret:
        raise ConfigError(f"{option}: {path} is empty")
    return SecretStr(secret)


def _token(path: Path | None, env: Mapping[str, str]) -> SecretStr:
    token = read_secret(path, TOKEN_ENV, "--token-file", env)
    if token is None:
        raise ConfigError(
            f"no token for Grafana: make one (Administration, Service accounts, Add token), and put it in {TOKEN_ENV}"
            " or in a file for --token-file"
        )
    said = token.get_secret_value().strip()
    if not said.isascii() or not said.isprintable() or " " in said:
        raise ConfigError(f"the token in {'--token-file' if path else TOKEN_ENV} has characters that no token has")
    return SecretStr(said)


def _base_url(url: str, option: str) -> str:
    """Without a slash at its end. Raises: ConfigError: empty, not http, or with more in it than a place."""
    try:
        parts = urlsplit(url.strip())
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.query or parts.fragment:
        raise ConfigError(f"{option}: expected a URL such as https://host:port/path, without a query")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{option}: leave user and password out of the URL; secrets come from files or environment")
    return parts.geturl().rstrip("/")
