"""Which Tieline a command means: the one that the environment names, else the embedded one of a data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.instance import Instance, default_data_dir, running_instance
from schemas.errors import ConfigError
from sinks.clickhouse.settings import URL_ENV, ClickHouseSettings
from streams.transport.broker import Broker
from streams.transport.security import BrokerSecurity

BROKER_ENV = "TIELINE_BROKER"
DATA_ENV = "TIELINE_DATA"
POLICIES_ENV = "TIELINE_POLICIES"
AS_OF_ENV = "TIELINE_AS_OF"
BUNDLED_POLICIES = Path(__file__).parents[1] / "policies"


@dataclass(frozen=True, slots=True)
class Target:
    """Addresses of a running Tieline.

    Attributes:
        broker: as text, its address.
        instance: the embedded instance, if it is one.
    """

    broker: Broker
    clickhouse: ClickHouseSettings
    instance: Instance | None = None


def data_dir(given: Path | None, env: Mapping[str, str] = os.environ) -> Path:
    """The data folder of the embedded default: as given, else `TIELINE_DATA`, else the user's data folder."""
    return given or (Path(env[DATA_ENV]) if env.get(DATA_ENV) else default_data_dir(env))


def policy_paths(given: list[Path] | None, folder: Path | None, env: Mapping[str, str] = os.environ) -> list[Path]:
    """Policy files: as given, else `TIELINE_POLICIES`, else `policies/` in the data folder, else the bundled ones."""
    if given:
        return given
    if env.get(POLICIES_ENV):
        return [Path(part) for part in env[POLICIES_ENV].split(os.pathsep) if part]
    if folder is not None and (folder / "policies").is_dir():
        return [folder / "policies"]
    return [BUNDLED_POLICIES]


def find_broker(given: str | None = None, embedded: bool = False, env: Mapping[str, str] = os.environ) -> Broker:
    """The broker at the given address, else at `TIELINE_BROKER`, with the security that the environment names.

    Args:
        embedded: it is the embedded one, on loopback and in plaintext whatever the environment says.
    Raises: ConfigError: see `BrokerSecurity.from_env`.
    """
    return Broker.at(
        given or env.get(BROKER_ENV) or "127.0.0.1:9092", None if embedded else BrokerSecurity.from_env(env)
    )


def find_target(folder: Path | None = None, env: Mapping[str, str] = os.environ, user: str = "tieline") -> Target:
    """The Tieline that is meant; `user` is who we are in an embedded store.

    Raises: ConfigError: neither does the environment name one nor does one run in the folder. Operator action: start
        `tieline up`, or set TIELINE_BROKER and TIELINE_CLICKHOUSE_URL.
    """
    if folder is None and (env.get(BROKER_ENV) or env.get(URL_ENV)):
        return Target(find_broker(env=env), ClickHouseSettings.from_env(env))
    where = data_dir(folder, env)
    instance = running_instance(where)
    if instance is None:
        raise ConfigError(
            f"nothing runs in {where}: start `tieline up`, or set {BROKER_ENV} and {URL_ENV} to use servers"
        )
    return target_of(instance, user)


def target_of(instance: Instance, user: str = "tieline") -> Target:
    """The addresses of an embedded instance, for one of its users."""
    settings = ClickHouseSettings.from_url(
        f"http://127.0.0.1:{instance.ports['store']}", user=user, password=instance.passwords[user]
    )
    return Target(Broker.at(f"127.0.0.1:{instance.ports['broker']}"), settings, instance)
