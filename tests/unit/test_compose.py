"""The compose file can't be run everywhere; what can be known about it without containers is checked here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["topics", "migrate", "infer", "sink", "signals", "gateway"]
DOCKER = ROOT / "deploy" / "docker"
REQUIRED = re.compile(r"\$\{([A-Z_]+):\?[^}]+\}")
VARIABLE = re.compile(r"\$\{([A-Z_]+)")


def test_compose_file_follows_the_compose_specification() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("service", OURS)
def test_command_of_a_service_is_a_command_of_the_command_line(service: str) -> None:
    from typer.testing import CliRunner

    from deploy.cli import app

    argv = SERVICES[service]["command"]
    answer = CliRunner().invoke(app, [*argv, "--help"])
    assert answer.exit_code == 0, answer.output
    words = [word for word in argv if not word.startswith(("-", "/"))]
    assert f"Usage: tieline {' '.join(words)} [OPTIONS]" in answer.output


@pytest.mark.parametrize("service", OURS)
def test_variable_that_a_service_sets_is_one_that_tieline_reads(service: str) -> None:
    assert SERVICES[service]["environment"].keys() <= _variables_read()


def test_job_or_worker_gets_the_addresses_it_needs() -> None:
    needs = {
        "topics": {"TIELINE_BROKER"},
        "migrate": {"TIELINE_CLICKHOUSE_URL", "TIELINE_CLICKHOUSE_USER", "TIELINE_CLICKHOUSE_PASSWORD"},
        "infer": {"TIELINE_BROKER", "TIELINE_POLICIES", "TIELINE_METRICS", "TIELINE_LOG_FORMAT"},
    }
    needs["sink"] = needs["migrate"] | needs["infer"]
    needs["signals"] = needs["sink"] - {"TIELINE_POLICIES"} | {"TIELINE_SIGNALS"}
    needs["gateway"] = needs["infer"] - {"TIELINE_METRICS"} | {  # it answers at its own port
        "TIELINE_DATA",
        "TIELINE_SOURCES",
        "TIELINE_GATEWAY_HOST",
        "TIELINE_GATEWAY_PORT",
    }
    assert {service: SERVICES[service]["environment"].keys() for service in OURS} == needs


def test_address_names_a_service_of_the_file() -> None:
    for service in OURS:
        for name, value in SERVICES[service]["environment"].items():
            if name in ("TIELINE_BROKER", "TIELINE_CLICKHOUSE_URL"):
                assert value.removeprefix("http://").partition(":")[0] in SERVICES
    assert SERVICES["infer"]["environment"]["TIELINE_BROKER"] in _advertised()


def test_clickhouse_address_is_one_that_the_settings_accept() -> None:
    from sinks.clickhouse.settings import ClickHouseSettings

    environment = SERVICES["sink"]["environment"] | {"TIELINE_CLICKHOUSE_PASSWORD": "drawn"}
    settings = ClickHouseSettings.from_env(environment)
    assert (settings.host, settings.port, settings.user, settings.database) == (
        "clickhouse",
        8123,
        "tieline",
        "tieline",
    )


def test_policies_are_mounted_where_they_are_looked_for() -> None:
    for service in ("infer", "sink", "gateway"):
        targets = [mount.removesuffix(":ro").rpartition(":")[2] for mount in SERVICES[service]["volumes"]]
        assert SERVICES[service]["environment"]["TIELINE_POLICIES"] in targets


def test_image_is_pinned_by_tag() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    for image in images:
        _, colon, tag = image.partition(":")
        assert colon, f"{image} has no tag"
        assert re.match(r"\d+\.\d+", tag), f"{image} is not pinned"


def test_image_of_kafka_is_the_version_that_the_tests_run() -> None:
    pom = ElementTree.parse(ROOT / "deploy" / "kafka" / "pom.xml")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {
        dependency.findtext("m:artifactId", "", space): dependency.findtext("m:version", "", space)
        for dependency in pom.iterfind(".//m:dependency", space)
    }
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_image_of_clickhouse_is_the_engine_that_the_tests_run() -> None:
    from importlib.metadata import version

    engine = ".".join(version("chdb-core").split(".")[:2])
    assert SERVICES["clickhouse"]["image"] == f"clickhouse/clickhouse-server:{engine}"


def test_image_of_tieline_carries_the_version_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {SERVICES[service]["image"] for service in OURS} == {f"tieline:{project['version']}"}


def test_secret_comes_from_the_environment_and_is_required() -> None:
    secrets = [
        (service, name, value)
        for service, described in SERVICES.items()
        for name, value in described.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|TOKEN", name)
    ]
    assert len(secrets) >= 6
    for service, name, value in secrets:
        assert REQUIRED.fullmatch(str(value)), f"{service}: {name} is not ${{VARIABLE:?message}}"


def test_configuration_snippet_holds_no_secret() -> None:
    users = ElementTree.parse(DOCKER / "clickhouse" / "users.xml")
    for password in users.iterfind(".//password"):
        assert not (password.text or "").strip()
        assert password.get("from_env") in SERVICES["clickhouse"]["environment"]
    assert _source()["secureJsonData"]["password"].removeprefix("$") in SERVICES["grafana"]["environment"]


def test_example_of_the_environment_names_every_variable_and_gives_no_value() -> None:
    text = (DOCKER / "env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert named == set(VARIABLE.findall((ROOT / "docker-compose.yml").read_text()))
    assert not re.search(r"^[A-Z_]+=.+", text, re.MULTILINE)


def test_named_volume_is_declared_and_used() -> None:
    used = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if not mount.startswith((".", "/", "$"))
    }
    assert used == COMPOSE["volumes"].keys()


def test_mounted_file_exists() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = re.sub(r"^\$\{[A-Z_]+:-([^}]+)\}", r"\1", mount).partition(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source


def test_port_is_bound_to_loopback() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_dependency_is_healthy_or_done_before_a_service_starts() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            job = needed in ("topics", "migrate")
            expected = "service_completed_successfully" if job else "service_healthy"
            assert how["condition"] == expected, f"{name} → {needed}"
            assert job or "healthcheck" in SERVICES[needed]


@pytest.mark.parametrize("service", ["infer", "gateway"])
def test_neither_inference_nor_intake_waits_for_the_store(service: str) -> None:
    assert not {"clickhouse", "migrate"} & set(_needs(service))


def test_gateway_keeps_its_spool_tokens_and_key_in_a_volume_that_it_may_write() -> None:
    folder = SERVICES["gateway"]["environment"]["TIELINE_DATA"]
    assert f"gateway-data:{folder}" in SERVICES["gateway"]["volumes"]
    made = f"install --directory --owner 10001 --group 10001 --mode 700 {folder}"
    assert made in (DOCKER / "Dockerfile").read_text()


def test_settings_of_sources_are_mounted_where_they_are_looked_for_and_right() -> None:
    from streams.gateway.source_files import read_sources

    looked_for = Path(SERVICES["gateway"]["environment"]["TIELINE_SOURCES"])
    assert f"{looked_for.parent}:ro" in " ".join(SERVICES["gateway"]["volumes"])
    read_sources(DOCKER / "sources" / looked_for.name)


def test_settings_of_signals_are_mounted_where_they_are_looked_for_and_right() -> None:
    from deploy.composition.signals import read_signals_file

    looked_for = Path(SERVICES["signals"]["environment"]["TIELINE_SIGNALS"])
    assert f"{looked_for.parent}:ro" in " ".join(SERVICES["signals"]["volumes"])
    read_signals_file(DOCKER / "signals" / looked_for.name)


def test_gateway_is_reached_and_asked_for_its_health_at_the_port_where_it_listens() -> None:
    port = SERVICES["gateway"]["environment"]["TIELINE_GATEWAY_PORT"]
    assert SERVICES["gateway"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"http://127.0.0.1:{port}/health/ready" in SERVICES["gateway"]["healthcheck"]["test"][-1]


def test_gateway_is_given_more_time_to_stop_than_it_takes_at_most() -> None:
    from streams.gateway.http.server import FINISH_WITHIN_S

    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > 2 * FINISH_WITHIN_S


def test_service_that_stays_has_a_health_check_and_is_restarted() -> None:
    for name in SERVICES.keys() - {"topics", "migrate"}:
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert "test" in SERVICES[name]["healthcheck"]


def test_worker_is_given_more_time_to_stop_than_it_takes_at_most() -> None:
    from streams.transport.settings import TransportSettings

    for service in ("infer", "sink"):
        assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) > TransportSettings().stop_timeout_s


def test_worker_is_healthy_once_it_has_made_its_ready_file() -> None:
    for service in ("infer", "sink"):
        command = SERVICES[service]["command"]
        made = command[command.index("--ready-file") + 1]
        assert SERVICES[service]["healthcheck"]["test"] == ["CMD", "test", "-f", made]
        assert Path(made).parent.as_posix() in SERVICES[service]["tmpfs"]


def test_metrics_of_a_worker_are_for_the_other_services_only() -> None:
    for service in ("infer", "sink", "signals"):
        assert SERVICES[service]["environment"]["TIELINE_METRICS"].endswith(":9464")
        assert "ports" not in SERVICES[service]


def test_image_runs_as_nobody_in_particular_and_starts_the_command_line() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["tieline"]' in lines


def test_image_is_built_from_every_package_of_the_wheel() -> None:
    import tomllib

    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (\w+) \w+$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    kept = re.findall(r"^!(\w+)$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert copied == packages["packages"]
    assert set(kept) - {"LICENSE"} == set(packages["packages"])


def test_reader_is_granted_the_views_for_readers_and_nothing_else() -> None:
    from sinks.clickhouse.audiences import views_of

    users = ElementTree.parse(DOCKER / "clickhouse" / "users.xml")
    granted = [query.text or "" for query in users.iterfind(".//users/reader/grants/query")]
    assert sorted(granted) == sorted(f"GRANT SELECT ON tieline.{view}" for view in views_of("reader"))


def test_grafana_asks_as_the_reader_with_the_plugin_that_is_installed() -> None:
    source = _source()
    plugin = SERVICES["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    assert plugin == f"{source['type']}@4.20.0"
    assert (source["jsonData"]["host"], source["jsonData"]["username"]) == ("clickhouse", "reader")


def test_dashboards_are_mounted_where_grafana_looks_for_them() -> None:
    provisioning = DOCKER / "grafana" / "provisioning" / "dashboards"
    provider = yaml.safe_load((provisioning / "tieline.yaml").read_text())["providers"][0]
    mounts = dict(mount.removesuffix(":ro").split(":")[::-1] for mount in SERVICES["grafana"]["volumes"])
    at = Path(provider["options"]["path"])
    assert (ROOT / mounts[at.parent.as_posix()] / at.name) == provisioning / at.name
    assert list((provisioning / at.name).glob("*.json"))


def test_dashboards_ask_a_data_source_that_grafana_has() -> None:
    provisioning = DOCKER / "grafana" / "provisioning" / "dashboards"
    asked = set(re.findall(r'"type": "grafana-[^}]*"uid": "([^"]+)"', "".join(_texts(provisioning))))
    assert asked == {_source()["uid"]}


def _texts(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.json"):
        yield path.read_text(encoding="utf-8")


def _needs(service: str) -> Iterator[str]:
    for needed in SERVICES[service].get("depends_on", {}):
        yield needed
        yield from _needs(needed)


def _advertised() -> list[str]:
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    return [listener.partition("://")[2] for listener in listeners.split(",")]


def _source() -> dict[str, Any]:
    file = DOCKER / "grafana" / "provisioning" / "datasources" / "tieline.yaml"
    sources: list[dict[str, Any]] = yaml.safe_load(file.read_text())["datasources"]
    return sources[0]


def _variables_read() -> set[str]:
    """Of options of the commands, and of what lies behind them."""
    import typer

    from deploy import log_lines
    from deploy.cli import app
    from deploy.composition import signals, target
    from sinks.clickhouse import settings

    def of_options(command: Any) -> set[str]:
        named = {parameter.envvar for parameter in command.params if isinstance(parameter.envvar, str)}
        return named.union(*map(of_options, getattr(command, "commands", {}).values()))

    modules = (signals, target, settings, log_lines)
    behind = {getattr(module, name) for module in modules for name in dir(module) if name.endswith("_ENV")}
    return behind | of_options(typer.main.get_command(app))
