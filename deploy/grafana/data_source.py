"""The data source: ClickHouse, read as a user who may read granted views and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.compare import differences
from deploy.grafana.marks import DATA_SOURCES
from deploy.grafana.provisioning import FOLDER_TITLES
from deploy.grafana.rendering.targets import PLUGIN
from deploy.grafana.settings import ClickHouseAddress
from schemas.errors import ConfigError

_KEPT = ("isDefault", "basicAuth", "basicAuthUser", "withCredentials", "url", "user", "database", "version")
"""What people may have set, and the version that we compared with: Grafana refuses if it is no longer that one."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """What Grafana reads as one account.

    Attributes:
        account: `reader` or `auditor`, a user of ClickHouse.
        address: None: leave what Grafana has.
        password: Grafana never tells it again, so it is written when the data source is made, or with `set_password`.
    """

    account: str
    address: ClickHouseAddress | None
    password: SecretStr | None = field(default=None, repr=False)
    set_password: bool = False

    @property
    def uid(self) -> str:
        return DATA_SOURCES[self.account]

    @property
    def name(self) -> str:
        return FOLDER_TITLES[self.account]

    def body(self, address: ClickHouseAddress) -> Json:
        """As Grafana's plug-in wants it; without the password."""
        return {
            "uid": self.uid,
            "name": self.name,
            "type": PLUGIN,
            "access": "proxy",
            "jsonData": {
                "host": address.host,
                "port": address.port,
                "protocol": "http",
                "secure": address.secure,
                "username": self.account,
                "defaultDatabase": address.database,
                "dialTimeout": "10",
                "queryTimeout": "60",
            },
        }


def plan_data_source(grafana: Grafana, wanted: DataSource) -> Change:
    """Raises: ConfigError: it has to be made, and address or password are missing."""
    present = grafana.data_source(wanted.uid)
    if present is None:
        return _created(grafana, wanted)
    if wanted.address is None and not wanted.set_password:
        return Change("unchanged", "data source", wanted.name)
    body = wanted.body(wanted.address) if wanted.address else _as_present(wanted, present)
    found = differences(body, present) + _password_differs(wanted, present)
    if not found:
        return Change("unchanged", "data source", wanted.name)
    if present.get("readOnly"):
        return Change(
            "kept", "data source", wanted.name, found, "provisioned from a file of Grafana's: change it there"
        )
    updated = _updated(wanted, body, present)
    return Change(
        "update", "data source", wanted.name, found, apply=lambda: grafana.update_data_source(wanted.uid, updated)
    )


def _created(grafana: Grafana, wanted: DataSource) -> Change:
    if wanted.address is None:
        raise ConfigError(
            f"Grafana has no data source {wanted.uid} yet: say with --clickhouse-url where Grafana reaches ClickHouse"
        )
    if wanted.password is None:
        raise ConfigError(
            f"Grafana has no data source {wanted.uid} yet: give the password of ClickHouse's user {wanted.account} in"
            f" TIELINE_{wanted.account.upper()}_PASSWORD or --{wanted.account}-password-file"
        )
    body = wanted.body(wanted.address) | _secret(wanted)
    return Change("create", "data source", wanted.name, apply=lambda: grafana.create_data_source(body))


def _as_present(wanted: DataSource, present: Json) -> Json:
    return {"uid": wanted.uid, **{key: present.get(key) for key in ("name", "type", "access", "jsonData")}}


def _password_differs(wanted: DataSource, present: Json) -> list[str]:
    if wanted.password is None:
        return []
    if not (present.get("secureJsonFields") or {}).get("password"):
        return ["password: is missing"]
    return ["password: is set anew"] if wanted.set_password else []


def _updated(wanted: DataSource, body: Json, present: Json) -> Json:
    """Ours, over what people added, such as certificates. Secrets that are not mentioned stay."""
    kept: dict[str, Any] = {key: present[key] for key in _KEPT if present.get(key) is not None}
    settings = {**(present.get("jsonData") or {}), **body["jsonData"]}
    return {**kept, **body, "jsonData": settings, **_secret(wanted)}


def _secret(wanted: DataSource) -> Json:
    if wanted.password is None:
        return {}
    return {"secureJsonData": {"password": wanted.password.get_secret_value()}}
