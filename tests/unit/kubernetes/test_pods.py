"""What runs: commands that the command line knows, settings that it reads, and as little as it needs beside them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.unit.kubernetes.building import ROOT
from tests.unit.kubernetes.manifests import (
    BUILDS,
    COMPONENT,
    NAME,
    RUNNING,
    bytes_of,
    container,
    environment,
    of_kind,
    pods,
    ports,
    strings,
)

ALL = [(name, component) for name in BUILDS for component in pods(BUILDS[name])]
STAYING = [(name, component) for name in BUILDS for component in pods(BUILDS[name], *RUNNING)]
WITH_STORE = ("sink", "signals", "migrate")
SETTINGS_UNDER = "/etc/tieline/"
each_pod = pytest.mark.parametrize(("name", "component"), ALL)
each_staying = pytest.mark.parametrize(("name", "component"), STAYING)


def test_every_part_of_tieline_is_there() -> None:
    assert set(pods(BUILDS["base"])) == {"topics", "migrate", "gateway", "infer", "sink", "signals"}
    assert set(pods(BUILDS["cluster"])) == {*pods(BUILDS["base"]), "mllp"}


@each_pod
def test_command_is_one_of_the_command_line_with_options_that_it_has(name: str, component: str) -> None:
    args = container(pods(BUILDS[name])[component])["args"]
    words = [word for word in args if word.isalpha()][: 2 if args[0] in ("worker", "topics") else 1]
    options = {option for parameter in _command(tuple(words)).params for option in parameter.opts}
    assert {word for word in args if word.startswith("--")} <= options
    assert "command" not in container(pods(BUILDS[name])[component]), "the image's entry point is `tieline`"


@each_pod
def test_variable_is_one_that_the_command_reads(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    words = [word for word in container(template)["args"] if word.isalpha()]
    command = _command(tuple(words[: 2 if words[0] in ("worker", "topics") else 1]))
    known = {parameter.envvar for parameter in command.params} | _variables_behind(command)
    assert environment(BUILDS[name], template).keys() <= known


@each_pod
def test_part_has_an_account_towards_the_store_only_where_it_uses_the_store(name: str, component: str) -> None:
    found = {key for key in environment(BUILDS[name], pods(BUILDS[name])[component]) if "CLICKHOUSE" in key}
    assert bool(found) == (component in WITH_STORE)


def test_job_that_migrates_and_apps_that_write_are_different_accounts() -> None:
    def secret(component: str) -> set[str]:
        return {
            text for path, text in strings(pods(BUILDS["base"])[component]) if text.startswith("tieline-clickhouse-")
        }

    authority = {"tieline-clickhouse-ca"}
    assert secret("migrate") == {"tieline-clickhouse-migrator"} | authority
    assert secret("sink") == secret("signals") == {"tieline-clickhouse-writer"} | authority


@each_pod
def test_image_is_pinned_by_the_version_of_the_package(name: str, component: str) -> None:
    image = container(pods(BUILDS[name])[component])["image"]
    assert re.fullmatch(r"(registry\.example\.org/)?tieline:" + re.escape(_version()), image)


@pytest.mark.parametrize("name", BUILDS)
def test_label_says_the_version_of_the_package(name: str) -> None:
    said = {each["metadata"].get("labels", {}).get("app.kubernetes.io/version", _version()) for each in BUILDS[name]}
    assert said == {_version()}


@pytest.mark.parametrize("name", BUILDS)
def test_object_says_what_it_belongs_to(name: str) -> None:
    for each in BUILDS[name]:
        if each["kind"] != "Namespace":
            assert each["metadata"]["labels"][NAME] == "tieline", each["metadata"]["name"]
            assert each["metadata"]["labels"][COMPONENT]


@pytest.mark.parametrize("name", BUILDS)
def test_labels_that_kubernetes_lets_nobody_change_hold_no_version(name: str) -> None:
    for each in of_kind(BUILDS[name], *RUNNING).values():
        assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
        assert each["spec"]["selector"]["matchLabels"].keys() == {NAME, COMPONENT}
        assert all("labels" not in claim["metadata"] for claim in each["spec"].get("volumeClaimTemplates", []))


@each_pod
def test_pod_may_run_where_only_restricted_pods_may(name: str, component: str) -> None:
    spec = pods(BUILDS[name])[component]["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container({"spec": spec})["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}
    assert "USER 10001:10001" in (ROOT / "deploy" / "docker" / "Dockerfile").read_text().splitlines()


@each_pod
def test_pod_has_no_token_towards_kubernetes_and_no_variables_from_its_services(name: str, component: str) -> None:
    # A Service `tieline-gateway` would make TIELINE_GATEWAY_PORT=tcp://…, which the gateway reads.
    spec = pods(BUILDS[name])[component]["spec"]
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert of_kind(BUILDS[name], "ServiceAccount")[spec["serviceAccountName"]]["automountServiceAccountToken"] is False


@each_pod
def test_only_temporary_files_and_the_spool_can_be_written(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    volumes = {each["name"]: each for each in template["spec"]["volumes"]}
    writable = {
        each["mountPath"]: each["name"] for each in container(template)["volumeMounts"] if not each.get("readOnly")
    }
    spooled = {"/var/lib/tieline": "data"} if component in ("gateway", "mllp") else {}
    assert writable == {"/tmp": "tmp"} | spooled
    assert "sizeLimit" in volumes["tmp"]["emptyDir"]
    if spooled:
        assert environment(BUILDS[name], template)["TIELINE_DATA"] in spooled


@each_pod
def test_volume_is_mounted_and_mounted_volume_is_there(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    claims = {"data"} if component in ("gateway", "mllp") else set()
    assert {each["name"] for each in template["spec"]["volumes"]} | claims == {
        each["name"] for each in container(template)["volumeMounts"]
    }


@each_pod
def test_file_that_a_variable_names_is_below_something_mounted(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    mounted = {each["mountPath"] for each in container(template)["volumeMounts"]}
    for variable, value in environment(BUILDS[name], template).items():
        if value and value.startswith("/"):
            assert {value, str(Path(value).parent)} & mounted, variable


@pytest.mark.parametrize("name", BUILDS)
def test_secret_is_a_reference(name: str) -> None:
    assert not of_kind(BUILDS[name], "Secret")
    for each in BUILDS[name]:
        for path, text in strings(each):
            assert not re.search(r"://[^/\s]*:[^/\s]*@|whsec_|-----BEGIN|tieline_[0-9a-f]{12}_", text), path
    for component, template in pods(BUILDS[name]).items():
        for variable, value in environment(BUILDS[name], template).items():
            secret = re.search("PASSWORD|SECRET|TOKEN|USER|_KEY", variable)
            assert not secret or value is None or value.startswith(SETTINGS_UNDER), f"{component}: {variable}"


@each_pod
def test_secret_files_are_for_the_owner_and_the_group_of_the_process(name: str, component: str) -> None:
    for volume in pods(BUILDS[name])[component]["spec"]["volumes"]:
        for kind in volume.keys() & {"secret", "projected"}:
            assert volume[kind]["defaultMode"] == 0o440, volume["name"]


@each_pod
def test_memory_is_limited_and_processor_is_not(name: str, component: str) -> None:
    resources = container(pods(BUILDS[name])[component])["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}
    assert bytes_of(resources["requests"]["memory"]) < bytes_of(resources["limits"]["memory"])


@each_staying
def test_probe_asks_a_port_and_a_path_that_are_there(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    here = container(template)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = here[probe]["httpGet"]
        assert asked["port"] in ports(template)
        assert asked["path"] in _paths(component)
        assert asked["path"] == ("/health/ready" if probe == "readinessProbe" else "/health/live")


@each_staying
def test_port_is_the_one_at_which_the_process_listens_on_all_addresses(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    set_here = environment(BUILDS[name], template)
    listening = {"http": "TIELINE_GATEWAY", "mllp": "TIELINE_MLLP"}
    for port_name, port in ports(template).items():
        if port_name == "metrics":
            assert set_here["TIELINE_METRICS"] == f"0.0.0.0:{port}"
        else:
            prefix = listening[port_name]
            assert (set_here[f"{prefix}_HOST"], set_here[f"{prefix}_PORT"]) == ("0.0.0.0", str(port))


@each_staying
def test_probe_speaks_tls_where_the_gateway_does(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    speaks_tls = "TIELINE_GATEWAY_TLS_CERT" in environment(BUILDS[name], template)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        scheme = container(template)[probe].get("httpGet", {}).get("scheme", "HTTP")
        assert scheme == ("HTTPS" if speaks_tls else "HTTP")


@pytest.mark.parametrize("name", BUILDS)
def test_gateway_listens_to_others_only_with_a_certificate_or_behind_a_proxy(name: str) -> None:
    from streams.gateway.http.server import Listening, Tls

    found = environment(BUILDS[name], pods(BUILDS[name])["gateway"])
    cert, key = found.get("TIELINE_GATEWAY_TLS_CERT"), found.get("TIELINE_GATEWAY_TLS_KEY")
    tls = Tls(Path(cert), Path(key)) if cert and key else None
    behind_proxy = found.get("TIELINE_GATEWAY_BEHIND_PROXY") == "true"
    assert behind_proxy != bool(tls)
    Listening(str(found["TIELINE_GATEWAY_HOST"]), 8720, tls, behind_proxy).check()


@each_staying
def test_pod_is_given_more_time_to_stop_than_it_takes_at_most(name: str, component: str) -> None:
    from streams.gateway.http.server import FINISH_WITHIN_S
    from streams.gateway.mllp.server import MllpSettings
    from streams.transport.settings import TransportSettings

    template = pods(BUILDS[name])[component]
    waits = container(template).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    needs = {"gateway": 2 * FINISH_WITHIN_S, "mllp": 2 * MllpSettings().grace_s}
    assert template["spec"]["terminationGracePeriodSeconds"] > waits + needs.get(
        component, TransportSettings().stop_timeout_s
    )


@pytest.mark.parametrize("component", ["topics", "migrate"])
def test_job_gives_up_at_once_where_trying_again_does_not_help(component: str) -> None:
    from schemas.errors import ConfigError

    for name in BUILDS:
        job = of_kind(BUILDS[name], "Job")[f"tieline-{component}"]["spec"]
        rule = job["podFailurePolicy"]["rules"][0]
        assert rule["onExitCodes"]["containerName"] == container(job["template"])["name"]
        assert ConfigError.exit_code in rule["onExitCodes"]["values"]
        assert job["template"]["spec"]["restartPolicy"] == "Never", "a failure policy wants that"
        assert job["activeDeadlineSeconds"] > 0
        assert job["backoffLimit"] > 0


def _version() -> str:
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


@cache
def _command(words: tuple[str, ...]) -> Any:
    import typer

    from deploy.cli import app

    found: Any = typer.main.get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def _variables_behind(command: Any) -> set[str]:
    """Those that no option of the command names, but what is behind it reads."""
    from deploy.composition import target
    from sinks.clickhouse import settings
    from streams.transport import security

    def named(module: object) -> set[str]:
        return {value for key, value in vars(module).items() if key.endswith("_ENV") and isinstance(value, str)}

    options = {parameter.name for parameter in command.params}
    # SSL_CERT_FILE: read by OpenSSL, for the store's certificate.
    found = named(settings) | {"SSL_CERT_FILE"} if command.name in WITH_STORE else set()
    found |= {target.BROKER_ENV} | named(security) if "broker" in options else set()
    found |= {target.POLICIES_ENV} if "policy" in options else set()
    found |= {target.DATA_ENV} if "data" in options else set()
    return found | ({"TIELINE_SIGNALS"} if command.name == "signals" else set())


@cache
def _paths(component: str) -> frozenset[str]:
    if component == "gateway":
        text = (ROOT / "streams" / "gateway" / "http" / "app.py").read_text()
        return frozenset(re.findall(r'"(/health/\w+)"', text))
    from streams.telemetry.endpoint import Endpoint
    from streams.telemetry.values import Values
    from streams.telemetry.worker_metrics import WORKER

    app = Endpoint(Values(WORKER), dict).app()
    return frozenset(route.resource.canonical for route in app.router.routes() if route.resource is not None)


def test_every_object_of_a_kind_that_runs_is_looked_at() -> None:
    kinds = {each["kind"] for objects in BUILDS.values() for each in objects if "template" in each.get("spec", {})}
    assert kinds == {"Deployment", "StatefulSet", "Job"}
