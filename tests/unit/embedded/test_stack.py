"""What the embedded default consists of."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded.child import ChildSpec
from deploy.embedded.instance import Instance
from deploy.embedded.stack import SERVICES, stack

PORTS = {service: 40_000 + number for number, service in enumerate(SERVICES)}
PASSWORDS = {"tieline": "of-tieline", "reader": "of-reader", "auditor": "of-auditor"}


async def nothing() -> None:
    """Nothing is prepared."""


def specs(folder: Path) -> dict[str, ChildSpec]:
    return {spec.name: spec for spec in stack(folder, PORTS, [Path("policies")], PASSWORDS, nothing)}


def test_every_service_has_a_child_with_its_port(tmp_path: Path) -> None:
    children = specs(tmp_path)
    for service, port in PORTS.items():
        assert str(port) in " ".join(children[service].argv)


def test_the_signals_app_looks_for_its_settings_in_the_data_folder(tmp_path: Path) -> None:
    signals = specs(tmp_path)["signals"]
    assert signals.after == ("store",)
    assert signals.env["TIELINE_DATA"] == str(tmp_path)
    assert signals.env["TIELINE_CLICKHOUSE_PASSWORD"] == PASSWORDS["tieline"]


def test_the_gateway_starts_once_topics_are_there_and_what_was_open_is_back(tmp_path: Path) -> None:
    gateway = specs(tmp_path)["gateway"]
    assert gateway.after == ("store",)
    assert "--embedded" in gateway.argv
    assert gateway.env["TIELINE_BROKER"] == f"127.0.0.1:{PORTS['broker']}"
    assert gateway.env["TIELINE_DATA"] == str(tmp_path)
    assert gateway.env["TIELINE_POLICIES"] == "policies"


def test_who_takes_bytes_from_outside_has_no_password_of_the_store(tmp_path: Path) -> None:
    gateway = specs(tmp_path)["gateway"]
    assert not any(password in str((gateway.argv, dict(gateway.env))) for password in PASSWORDS.values())
    assert gateway.env["TIELINE_CLICKHOUSE_PASSWORD"] == ""


def test_the_instance_says_where_the_gateway_is(tmp_path: Path) -> None:
    assert Instance(tmp_path, 1, PORTS).gateway_url == f"http://127.0.0.1:{PORTS['gateway']}/"
