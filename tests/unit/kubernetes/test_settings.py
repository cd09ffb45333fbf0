"""Settings in ConfigMaps are ones that the parts accept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.kubernetes.manifests import BUILDS, container, environment, files, of_kind, pods

NAMES = list(BUILDS)
each_build = pytest.mark.parametrize("name", NAMES)


@each_build
@pytest.mark.parametrize("component", ["gateway", "infer", "sink"])
def test_policies_are_mounted_where_they_are_looked_for_and_right(name: str, component: str, tmp_path: Path) -> None:
    from deploy.policy_files import load_policy_book

    folder = environment(BUILDS[name], pods(BUILDS[name])[component])["TIELINE_POLICIES"]
    load_policy_book([_mounted(name, component, str(folder), tmp_path)])


def test_base_promises_nothing_and_so_judges_nothing(tmp_path: Path) -> None:
    from deploy.policy_files import load_policy_book

    book = load_policy_book([_mounted("base", "infer", "/etc/tieline/policies", tmp_path)])
    assert [dict(policy.processes) for policy in book.policies] == [{}]


@each_build
def test_sources_are_mounted_where_they_are_looked_for_and_right(name: str, tmp_path: Path) -> None:
    from streams.gateway.source_files import read_sources

    looked_for = Path(str(environment(BUILDS[name], pods(BUILDS[name])["gateway"])["TIELINE_SOURCES"]))
    found = read_sources(_mounted(name, "gateway", str(looked_for.parent), tmp_path) / looked_for.name)
    secrets = [ref.file for source in found.sources.values() for ref in source.verify.secrets]
    assert all(file is not None and file.parent.as_posix() == "/etc/tieline/source-secrets" for file in secrets)


@each_build
def test_signals_are_mounted_where_they_are_looked_for_and_right(name: str, tmp_path: Path) -> None:
    from deploy.composition.signals import read_signals_file

    looked_for = Path(str(environment(BUILDS[name], pods(BUILDS[name])["signals"])["TIELINE_SIGNALS"]))
    found = read_signals_file(_mounted(name, "signals", str(looked_for.parent), tmp_path) / looked_for.name)
    secrets = [ref.file for webhook in found.webhooks.values() for ref in webhook.secrets]
    assert all(file is not None and file.parent.as_posix() == "/etc/tieline/signal-secrets" for file in secrets)


def test_source_that_mllp_serves_is_one_of_hl7(tmp_path: Path) -> None:
    from streams.gateway.source_files import read_sources

    args = container(pods(BUILDS["cluster"])["mllp"])["args"]
    found = read_sources(_mounted("cluster", "mllp", "/etc/tieline/sources", tmp_path) / "sources.yaml")
    assert found.sources[args[args.index("--source") + 1]].connector == "hl7v2"


@each_build
@pytest.mark.parametrize("component", ["topics", "gateway", "infer", "sink", "signals"])
def test_settings_of_kafka_go_together(name: str, component: str, tmp_path: Path) -> None:
    import certifi

    from streams.transport.security import BrokerSecurity

    found = environment(BUILDS[name], pods(BUILDS[name])[component])
    secured = "TIELINE_KAFKA_SECURITY_PROTOCOL" in found
    written = {"password": "drawn", "ca.crt": certifi.contents()}
    for variable, value in found.items():
        if variable.startswith("TIELINE_KAFKA_") and value and value.startswith("/"):
            (tmp_path / Path(value).name).write_text(written[Path(value).name])
            found[variable] = str(tmp_path / Path(value).name)
    # The Secret is optional: without it there is no name, and that is right only in plain text.
    found["TIELINE_KAFKA_SASL_USERNAME"] = f"tieline-{component}" if secured else None
    security = BrokerSecurity.from_env({key: value for key, value in found.items() if value is not None})
    assert security.protocol == ("SASL_SSL" if secured else "PLAINTEXT")


@each_build
@pytest.mark.parametrize("component", ["sink", "signals", "migrate"])
def test_address_of_the_store_is_one_that_the_settings_accept(name: str, component: str, tmp_path: Path) -> None:
    from sinks.clickhouse.settings import ClickHouseSettings

    found = environment(BUILDS[name], pods(BUILDS[name])[component])
    (tmp_path / "password").write_text("drawn\n")
    found |= {"TIELINE_CLICKHOUSE_USER": "writer", "TIELINE_CLICKHOUSE_PASSWORD_FILE": str(tmp_path / "password")}
    settings = ClickHouseSettings.from_env({key: value for key, value in found.items() if value is not None})
    assert (settings.user, settings.password.get_secret_value()) == ("writer", "drawn")
    assert settings.secure == (name == "cluster")


@each_build
def test_settings_have_a_name_of_their_own_whenever_they_change(name: str) -> None:
    # Pods then start anew by themselves; settings are read at start.
    for each in of_kind(BUILDS[name], "ConfigMap"):
        assert re.fullmatch(r"tieline-[a-z]+-[0-9a-z]{10}", each)


def _mounted(name: str, component: str, folder: str, tmp_path: Path) -> Path:
    for path, text in files(BUILDS[name], pods(BUILDS[name])[component]).items():
        if Path(path).parent.as_posix() == folder:
            (tmp_path / Path(path).name).write_text(text)
    return tmp_path
