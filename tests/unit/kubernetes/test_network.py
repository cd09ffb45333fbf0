"""Who may speak with whom: nobody, but as is said."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest

from tests.unit.kubernetes.building import Object
from tests.unit.kubernetes.manifests import (
    BUILDS,
    COMPONENT,
    RUNNING,
    chosen,
    environment,
    of_kind,
    open_ports,
    pods,
    policies_for,
    ports,
)

ALL = [(name, component) for name in BUILDS for component in pods(BUILDS[name])]
each_pod = pytest.mark.parametrize(("name", "component"), ALL)
DNS = {53}
HTTPS = {443}


@each_pod
def test_pod_is_closed_in_both_directions_before_anything_is_opened(name: str, component: str) -> None:
    deny = of_kind(BUILDS[name], "NetworkPolicy")["tieline-deny"]["spec"]
    assert chosen(deny["podSelector"], pods(BUILDS[name])[component]["metadata"]["labels"])
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    assert not deny.keys() & {"ingress", "egress"}


@each_pod
def test_pod_reaches_what_its_settings_name_and_nothing_else(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    webhooks = HTTPS if component == "signals" else set()
    assert open_ports(BUILDS[name], template, "Egress") == DNS | webhooks | _needed(name, template)


@each_pod
def test_pod_is_reached_at_all_its_ports_and_at_no_other(name: str, component: str) -> None:
    template = pods(BUILDS[name])[component]
    opened = open_ports(BUILDS[name], template, "Ingress")
    assert opened & ports(template).keys() == ports(template).keys()
    if not ports(template):
        assert not opened


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("component", ["gateway", "infer", "topics"])
def test_neither_intake_nor_inference_reaches_the_store(name: str, component: str) -> None:
    store = urlsplit(environment(BUILDS[name], pods(BUILDS[name])["sink"])["TIELINE_CLICKHOUSE_URL"] or "").port
    assert store not in open_ports(BUILDS[name], pods(BUILDS[name])[component], "Egress")


@each_pod
def test_rule_says_with_whom(name: str, component: str) -> None:
    for direction, peers in (("Ingress", "from"), ("Egress", "to")):
        for spec in policies_for(BUILDS[name], pods(BUILDS[name])[component], direction):
            for rule in spec.get(direction.lower(), []):
                assert rule[peers]
                assert rule["ports"]
                for peer in rule[peers]:
                    assert peer.get("ipBlock") or peer.get("namespaceSelector", {}).get("matchLabels"), peer


@pytest.mark.parametrize("name", BUILDS)
def test_policy_picks_some_pod(name: str) -> None:
    labels = [template["metadata"]["labels"] for template in pods(BUILDS[name]).values()]
    for policy in of_kind(BUILDS[name], "NetworkPolicy").values():
        assert any(chosen(policy["spec"]["podSelector"], each) for each in labels)
        for expression in policy["spec"]["podSelector"].get("matchExpressions", []):
            assert set(expression["values"]) <= {each[COMPONENT] for each in labels}, policy["metadata"]["name"]


def test_webhooks_reach_public_addresses_only() -> None:
    spec = of_kind(BUILDS["base"], "NetworkPolicy")["tieline-webhooks"]["spec"]
    blocks = [peer["ipBlock"] for peer in spec["egress"][0]["to"]]
    for address in (
        "10.1.2.3",
        "172.20.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "127.0.0.1",
        "fd00::1",
        "fe80::1",
    ):
        assert not _reached(blocks, address), address
    for address in ("93.184.216.34", "2606:2800:220:1::1"):
        assert _reached(blocks, address)


@pytest.mark.parametrize("name", BUILDS)
def test_service_leads_to_a_port_of_the_pods_that_it_picks(name: str) -> None:
    for service in of_kind(BUILDS[name], "Service").values():
        [template] = [
            each
            for each in pods(BUILDS[name]).values()
            if chosen({"matchLabels": service["spec"]["selector"]}, each["metadata"]["labels"])
        ]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports(template)


@pytest.mark.parametrize("name", BUILDS)
def test_stateful_set_names_a_service_that_is_there(name: str) -> None:
    for each in of_kind(BUILDS[name], "StatefulSet").values():
        assert each["spec"]["serviceName"] in of_kind(BUILDS[name], "Service")


def test_ingress_leads_to_the_gateway_with_tls_and_only_to_what_senders_need() -> None:
    [ingress] = of_kind(BUILDS["cluster"], "Ingress").values()
    [rule], [tls] = ingress["spec"]["rules"], ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]]
    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [("/v1/", "Prefix")]
    service = rule["http"]["paths"][0]["backend"]["service"]
    known = of_kind(BUILDS["cluster"], "Service")[service["name"]]
    assert service["port"]["name"] in {port["name"] for port in known["spec"]["ports"]}


def test_what_collects_metrics_asks_ports_that_its_namespace_may_reach() -> None:
    objects, asked = BUILDS["cluster"], set()
    for monitor in of_kind(objects, "PodMonitor").values():
        for component, template in pods(objects, *RUNNING).items():
            if chosen(monitor["spec"]["selector"], template["metadata"]["labels"]):
                [endpoint] = monitor["spec"]["podMetricsEndpoints"]
                assert endpoint["port"] in ports(template)
                assert endpoint["port"] in open_ports(objects, template, "Ingress")
                assert ("authorization" in endpoint) == (component == "gateway"), "the gateway wants a token"
                asked.add(component)
    assert asked == {"gateway", "mllp", "infer", "sink", "signals"}


def _needed(name: str, template: Object) -> set[int]:
    found = environment(BUILDS[name], template)
    brokers = [urlsplit(f"//{each}").port for each in (found.get("TIELINE_BROKER") or "").split(",") if each]
    store = [urlsplit(found["TIELINE_CLICKHOUSE_URL"] or "").port] if "TIELINE_CLICKHOUSE_URL" in found else []
    return {port for port in (*brokers, *store) if port is not None}


def _reached(blocks: list[Object], address: str) -> bool:
    asked = ipaddress.ip_address(address)
    return any(
        asked in ipaddress.ip_network(block["cidr"])
        and not any(asked in ipaddress.ip_network(each) for each in block["except"])
        for block in blocks
    )
