"""How a client proves who it is to Kafka, and how it knows Kafka."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, cast, get_args

from pydantic import BaseModel, ConfigDict, SecretStr

from schemas.errors import ConfigError

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]

PROTOCOL_ENV = "TIELINE_KAFKA_SECURITY_PROTOCOL"
MECHANISM_ENV = "TIELINE_KAFKA_SASL_MECHANISM"
USERNAME_ENV = "TIELINE_KAFKA_SASL_USERNAME"
PASSWORD_ENV = "TIELINE_KAFKA_SASL_PASSWORD"
PASSWORD_FILE_ENV = "TIELINE_KAFKA_SASL_PASSWORD_FILE"
CA_FILE_ENV = "TIELINE_KAFKA_CA_FILE"
CERT_FILE_ENV = "TIELINE_KAFKA_CERT_FILE"
KEY_FILE_ENV = "TIELINE_KAFKA_KEY_FILE"
KEY_PASSWORD_ENV = "TIELINE_KAFKA_KEY_PASSWORD"
KEY_PASSWORD_FILE_ENV = "TIELINE_KAFKA_KEY_PASSWORD_FILE"

_SASL_ENVS = (MECHANISM_ENV, USERNAME_ENV, PASSWORD_ENV, PASSWORD_FILE_ENV)
_KEY_ENVS = (CERT_FILE_ENV, KEY_FILE_ENV, KEY_PASSWORD_ENV, KEY_PASSWORD_FILE_ENV)
_TLS_ENVS = (CA_FILE_ENV, *_KEY_ENVS)


class BrokerSecurity(BaseModel):
    """The security of every connection to Kafka; without anything, plaintext. The host name is always verified.

    Attributes:
        mechanism: SASL's; counts only where the protocol has SASL, as do `username` and `password`.
        ca_file: PEM file of the authorities that may vouch for the broker; None: the system's.
        cert_file, key_file: PEM files, the client's own (mTLS); both or none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr = SecretStr("")

    @property
    def sasl(self) -> bool:
        """Whether a user name and a password are given."""
        return self.protocol.startswith("SASL_")

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.protocol.endswith("SSL")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """From the TIELINE_KAFKA_… variables; an empty one is as good as none.

        Raises: ConfigError: a value that there is not, settings that contradict each other, a file that cannot be
            used. The message names the variable, never a value other than a path.
        """
        env = {name: value for name, value in (os.environ if env is None else env).items() if value}
        protocol = cast(Protocol, _one_of(env, PROTOCOL_ENV, get_args(Protocol), "PLAINTEXT"))
        found = cls(
            protocol=protocol,
            mechanism=cast(Mechanism, _one_of(env, MECHANISM_ENV, get_args(Mechanism), "SCRAM-SHA-512")),
            username=env.get(USERNAME_ENV, ""),
            password=_secret(env, PASSWORD_ENV, PASSWORD_FILE_ENV),
            ca_file=_path(env, CA_FILE_ENV),
            cert_file=_path(env, CERT_FILE_ENV),
            key_file=_path(env, KEY_FILE_ENV),
            key_password=_secret(env, KEY_PASSWORD_ENV, KEY_PASSWORD_FILE_ENV),
        )
        _check_sasl(found, env)
        _check_tls(found, env)
        found.tls()
        return found

    def tls(self) -> ssl.SSLContext | None:
        """A context made from the files as they are now: TLS 1.2 or later; None where the protocol has no TLS.

        Raises: ConfigError: a file cannot be read, or does not fit the other.
        """
        if not self.encrypted:
            return None
        context = _trusting(self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is not None and self.key_file is not None:
            _prove(context, self.cert_file, self.key_file, self.key_password.get_secret_value())
        return context

    def sasl_options(self) -> dict[str, Any]:
        """Keyword arguments that aiokafka and kafka-python share; the password is in them. Empty without SASL."""
        if not self.sasl:
            return {}
        return {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value(),
        }


def _one_of(env: Mapping[str, str], name: str, known: tuple[str, ...], otherwise: str) -> str:
    value = env.get(name, otherwise)
    if value not in known:
        raise ConfigError(f"{name}: expected {', '.join(known[:-1])} or {known[-1]}")
    return value


def _path(env: Mapping[str, str], name: str) -> Path | None:
    if name not in env:
        return None
    path = Path(env[name])
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        raise _unreadable(name, path, error) from None


def _secret(env: Mapping[str, str], name: str, file_name: str) -> SecretStr:
    """A secret, or the content of a file without line breaks around it."""
    if name in env and file_name in env:
        raise ConfigError(f"{name}, {file_name}: only one of them")
    if file_name not in env:
        return SecretStr(env.get(name, ""))
    path = Path(env[file_name])
    try:
        secret = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError) as error:
        raise _unreadable(file_name, path, error) from None
    if not secret:
        raise ConfigError(f"{file_name}: {path} is empty")
    return SecretStr(secret)


def _unreadable(name: str, path: Path, error: Exception) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
    return ConfigError(f"{name}: {why}: {path}")


def _check_sasl(found: BrokerSecurity, env: Mapping[str, str]) -> None:
    if not found.sasl:
        _refuse(env, _SASL_ENVS, f"set, but {PROTOCOL_ENV} has no SASL ({found.protocol})")
        return
    password = found.password.get_secret_value()
    if not found.username:
        raise ConfigError(f"{USERNAME_ENV}: needed for {found.protocol}")
    if not password:
        raise ConfigError(f"{PASSWORD_ENV} or {PASSWORD_FILE_ENV}: needed for {found.protocol}")
    if not found.username.isprintable() or (found.mechanism != "PLAIN" and set(",=") & set(found.username)):
        # kafka-python sends the two signs as they are, aiokafka escapes them: no broker takes both.
        raise ConfigError(f"{USERNAME_ENV}: control characters, and for SCRAM commas and equals signs, are not usable")
    if not password.isprintable():
        raise ConfigError(f"{PASSWORD_ENV} or {PASSWORD_FILE_ENV}: control characters are not usable")


def _check_tls(found: BrokerSecurity, env: Mapping[str, str]) -> None:
    if not found.encrypted:
        _refuse(env, _TLS_ENVS, f"set, but {PROTOCOL_ENV} has no TLS ({found.protocol})")
    elif found.cert_file is None:
        _refuse(env, _KEY_ENVS, f"set without {CERT_FILE_ENV}")
    elif found.key_file is None:
        raise ConfigError(f"{CERT_FILE_ENV}: set without {KEY_FILE_ENV}")


def _refuse(env: Mapping[str, str], names: tuple[str, ...], why: str) -> None:
    if superfluous := [name for name in names if name in env]:
        raise ConfigError(f"{', '.join(superfluous)}: {why}")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{CA_FILE_ENV}: no certificates of an authority in PEM: {ca_file}: {_why(error)}") from None


def _prove(context: ssl.SSLContext, cert: Path, key: Path, password: str) -> None:
    asked: list[bool] = []

    def answer() -> str:
        asked.append(True)  # else OpenSSL would ask on the terminal
        return password

    try:
        context.load_cert_chain(cert, key, password=answer)
    except (OSError, ValueError) as error:
        if asked:
            opens = "does not open" if password else "is needed to open"
            raise ConfigError(f"{KEY_PASSWORD_ENV} or {KEY_PASSWORD_FILE_ENV}: {opens} {key}") from None
        raise ConfigError(
            f"{CERT_FILE_ENV}, {KEY_FILE_ENV}: no certificate and its key in PEM: {cert}, {key}: {_why(error)}"
        ) from None


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS cannot use it"
    return getattr(error, "strerror", None) or type(error).__name__
