"""Where the store is and who we are there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from schemas.errors import ConfigError, TransientError
from sinks.clickhouse.cluster import CLIENT, NAME
from sinks.clickhouse.faults import fault_of

DATABASE = "tieline"
URL_ENV = "TIELINE_CLICKHOUSE_URL"
USER_ENV = "TIELINE_CLICKHOUSE_USER"
PASSWORD_ENV = "TIELINE_CLICKHOUSE_PASSWORD"
PASSWORD_FILE_ENV = "TIELINE_CLICKHOUSE_PASSWORD_FILE"
CLUSTER_ENV = "TIELINE_CLICKHOUSE_CLUSTER"


class ClickHouseSettings(BaseModel):
    """One ClickHouse account. `connect_timeout_s` and `request_timeout_s` are whole seconds.

    Attributes:
        cluster: the cluster that the store is on, as the servers' configuration names it; empty: one server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8123, ge=1, le=65535)
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = Field(default=DATABASE, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    secure: bool = False
    cluster: str = Field(default="", pattern=rf"^({NAME})?$")
    connect_timeout_s: int = Field(default=5, ge=1)
    request_timeout_s: int = Field(default=120, ge=1)

    @classmethod
    def from_url(cls, url: str, user: str = "", password: str = "") -> Self:
        """`http[s]://[user:password@]host[:port][/database]`; a user or password given beside it wins.

        Raises: ConfigError: not such a URL. The message never repeats it: it may hold the password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigError(f"{URL_ENV}: not a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parse_qsl(parts.query):
            raise ConfigError(f"{URL_ENV}: expected http://host:port or https://host:port/database, without a query")
        secure = parts.scheme == "https"
        fields = {
            "host": parts.hostname,
            "port": port or (8443 if secure else 8123),
            "user": user or unquote(parts.username or "") or "default",
            "password": SecretStr(password or unquote(parts.password or "")),
            "database": parts.path.strip("/") or DATABASE,
            "secure": secure,
        }
        try:
            return cls.model_validate(fields)
        except ValueError:
            raise ConfigError(f"{URL_ENV}: port or database name out of range") from None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """From TIELINE_CLICKHOUSE_URL, _USER, _CLUSTER and _PASSWORD or _PASSWORD_FILE; without a URL, a local server.

        Raises: ConfigError: a malformed URL or cluster, or a password file that can't be read.
        """
        env = os.environ if env is None else env
        found = cls.from_url(
            env.get(URL_ENV, "http://127.0.0.1:8123"),
            env.get(USER_ENV, ""),
            env.get(PASSWORD_ENV) or _password_file(env),
        )
        return found.on_cluster(env.get(CLUSTER_ENV, ""))

    def on_cluster(self, cluster: str) -> Self:
        """The same account of a store on this cluster.

        Raises: ConfigError: not a name.
        """
        try:
            return type(self).model_validate({**self.model_dump(), "cluster": cluster})
        except ValueError:
            raise ConfigError(f"{CLUSTER_ENV}: expected a name of letters, digits, '_', '-' and '.'") from None


def _password_file(env: Mapping[str, str]) -> str:
    path = env.get(PASSWORD_FILE_ENV)
    if not path:
        return ""
    try:
        return Path(path).read_text().strip("\r\n")
    except OSError as error:
        raise ConfigError(f"{PASSWORD_FILE_ENV}: {error.strerror}: {path}") from None


def connect(settings: ClickHouseSettings) -> Client:
    """A client that several threads may use at once: it has no session.

    The database need not exist yet.

    Raises:
        TransientError: the store doesn't answer, or not yet.
        ConfigError: it answers and refuses the account.
    """
    try:
        client = clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password.get_secret_value(),
            secure=settings.secure,
            connect_timeout=settings.connect_timeout_s,
            send_receive_timeout=settings.request_timeout_s,
            query_retries=0,
            autogenerate_session_id=False,
            tz_mode="aware",
            settings=dict(CLIENT) if settings.cluster else None,
        )
    except (ClickHouseError, OSError) as error:
        fault = fault_of(error)
        if fault.refuses_account:
            raise ConfigError(f"ClickHouse refuses user {settings.user!r} (code {fault.code})") from None
        raise TransientError(f"clickhouse at {settings.host}:{settings.port}: {fault.label}") from error
    client.database = settings.database
    return client
