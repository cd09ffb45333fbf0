"""Looking at objects of Kubernetes: what runs, with what, and who may speak with whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.kubernetes.building import KUBERNETES, OVERLAYS, Object, built, overlay

BUILDS = {"base": built(KUBERNETES / "base")} | {name: overlay(name) for name in OVERLAYS}
RUNNING = ("Deployment", "StatefulSet")
PODS = (*RUNNING, "Job")
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


def of_kind(objects: tuple[Object, ...], *kinds: str) -> dict[str, Object]:
    """Objects of these kinds by name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] in kinds}


def pods(objects: tuple[Object, ...], *kinds: str) -> dict[str, Object]:
    """Pod templates by component: what the labels of their pods say they are."""
    found = of_kind(objects, *(kinds or PODS)).values()
    return {each["spec"]["template"]["metadata"]["labels"][COMPONENT]: each["spec"]["template"] for each in found}


def container(template: Object) -> Object:
    """The only container of a pod."""
    [only] = template["spec"]["containers"]
    assert not template["spec"].get("initContainers")
    return dict(only)


def environment(objects: tuple[Object, ...], template: Object) -> dict[str, str | None]:
    """What a container's environment holds; None: comes from a Secret."""
    here, settings = container(template), of_kind(objects, "ConfigMap")
    found: dict[str, str | None] = {}
    for source in here.get("envFrom", []):
        found |= settings[source["configMapRef"]["name"]]["data"]
    return found | {each["name"]: each.get("value") for each in here["env"]}


def files(objects: tuple[Object, ...], template: Object) -> dict[str, str]:
    """Files of settings as a pod sees them: path to text."""
    volumes = {each["name"]: each for each in template["spec"]["volumes"]}
    settings = of_kind(objects, "ConfigMap")
    return {
        f"{mount['mountPath']}/{name}": text
        for mount in container(template)["volumeMounts"]
        if "configMap" in volumes.get(mount["name"], {})
        for name, text in settings[volumes[mount["name"]]["configMap"]["name"]]["data"].items()
    }


def ports(template: Object) -> dict[str, int]:
    """Named ports of a pod."""
    return {each["name"]: each["containerPort"] for each in container(template).get("ports", [])}


def chosen(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector picks what has these labels."""
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    for each in selector.get("matchExpressions", []):
        assert each["operator"] == "In"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def policies_for(objects: tuple[Object, ...], template: Object, direction: str) -> list[Object]:
    """Network policies of one direction that pick a pod."""
    labels = template["metadata"]["labels"]
    return [
        each["spec"]
        for each in of_kind(objects, "NetworkPolicy").values()
        if direction in each["spec"]["policyTypes"] and chosen(each["spec"]["podSelector"], labels)
    ]


def open_ports(objects: tuple[Object, ...], template: Object, direction: str) -> set[int | str]:
    """Ports (of this pod for `Ingress`, of others for `Egress`) that some policy opens."""
    key = direction.lower()
    rules = [rule for spec in policies_for(objects, template, direction) for rule in spec.get(key, [])]
    assert all(rule.get("from" if key == "ingress" else "to") for rule in rules), "opens a port to everybody"
    return {port["port"] for rule in rules for port in rule["ports"]}


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an object and where it is."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from strings(each, f"{path}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from strings(each, f"{path}/{number}")
    elif isinstance(value, str):
        yield path, value


def bytes_of(quantity: str) -> int:
    """Bytes of a quantity such as 384Mi."""
    found = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity)
    assert found, quantity
    return int(found[1]) * {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}[found[2]]
