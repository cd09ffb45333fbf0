"""How many there are, what may be taken away at once, and how a new version takes over."""

from __future__ import annotations

import re

import pytest

from schemas.topics import EVENTS, PARTITIONS
from tests.unit.kubernetes.building import KUBERNETES, ROOT
from tests.unit.kubernetes.manifests import BUILDS, RUNNING, chosen, container, environment, of_kind, pods

each_build = pytest.mark.parametrize("name", BUILDS)
SCALED = {"tieline-infer", "tieline-sink"}


def test_scaling_follows_the_lag_of_the_group_and_ends_at_the_partitions() -> None:
    from streams.apps.infer.app import GROUP as INFER
    from streams.apps.sink.app import GROUP as SINK

    groups = {"tieline-infer": INFER, "tieline-sink": SINK}
    scaled = of_kind(BUILDS["cluster"], "ScaledObject")
    assert scaled.keys() == SCALED
    for name, each in scaled.items():
        [trigger] = each["spec"]["triggers"]
        assert each["spec"]["scaleTargetRef"] == {"name": name}
        assert trigger["type"] == "kafka"
        assert trigger["metadata"]["consumerGroup"] == groups[name]
        assert trigger["metadata"].get("topic", EVENTS) == EVENTS
        assert trigger["metadata"]["allowIdleConsumers"] == "false"
        assert 1 <= each["spec"]["minReplicaCount"] <= each["spec"]["maxReplicaCount"] <= PARTITIONS


def test_scaling_finds_the_broker_in_the_settings_of_what_it_scales() -> None:
    objects = BUILDS["cluster"]
    for each in of_kind(objects, "ScaledObject").values():
        target = of_kind(objects, "Deployment")[each["spec"]["scaleTargetRef"]["name"]]["spec"]["template"]
        assert each["spec"]["triggers"][0]["metadata"]["bootstrapServersFromEnv"] in environment(objects, target)


def test_scaling_has_an_account_of_its_own_where_kafka_wants_one() -> None:
    [account] = of_kind(BUILDS["cluster"], "TriggerAuthentication").values()
    assert {each["parameter"] for each in account["spec"]["secretTargetRef"]} == {"username", "password", "ca"}
    for each in of_kind(BUILDS["cluster"], "ScaledObject").values():
        [trigger] = each["spec"]["triggers"]
        assert trigger["authenticationRef"]["name"] == account["metadata"]["name"]
        assert (trigger["metadata"]["sasl"], trigger["metadata"]["tls"]) == ("scram_sha512", "enable")


def test_number_of_what_is_scaled_is_left_to_the_scaler() -> None:
    for name, each in of_kind(BUILDS["cluster"], "Deployment").items():
        assert ("replicas" in each["spec"]) == (name not in SCALED)


@each_build
def test_worker_is_replaced_and_never_joined_by_a_new_one(name: str) -> None:
    for each in of_kind(BUILDS[name], "Deployment").values():
        assert each["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


@each_build
def test_there_are_no_more_workers_than_partitions(name: str) -> None:
    for each in of_kind(BUILDS[name], "Deployment").values():
        assert each["spec"].get("replicas", 1) <= PARTITIONS


@each_build
def test_gateway_has_a_spool_of_its_own_that_outlives_it(name: str) -> None:
    for each in of_kind(BUILDS[name], "StatefulSet").values():
        spec = each["spec"]
        [claim] = spec["volumeClaimTemplates"]
        assert claim["metadata"]["name"] in {mount["name"] for mount in container(spec["template"])["volumeMounts"]}
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}


@each_build
def test_spool_has_more_room_than_it_takes_at_most(name: str) -> None:
    import inspect

    from deploy.composition.durable import event_log

    most = inspect.signature(event_log).parameters["max_bytes"].default
    for each in of_kind(BUILDS[name], "StatefulSet").values():
        found = re.fullmatch(
            r"(\d+)Gi", each["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        )
        assert found
        assert int(found[1]) * 1024**3 > most


@each_build
def test_gateways_and_mllp_hash_names_with_one_key(name: str) -> None:
    for component, template in pods(BUILDS[name], "StatefulSet").items():
        volumes = {each["name"]: each for each in template["spec"]["volumes"]}
        assert volumes["actor-key"]["secret"]["secretName"] == "tieline-actor-key", component
        assert environment(BUILDS[name], template)["TIELINE_ACTOR_KEY"] == "/etc/tieline/actor-key/actor.key"


@each_build
def test_budget_lets_one_pod_go_at_a_time_and_is_for_what_may_be_several(name: str) -> None:
    budgets = of_kind(BUILDS[name], "PodDisruptionBudget")
    assert budgets.keys() == {"tieline-gateway", "tieline-infer", "tieline-sink", "tieline-signals"}
    for budget_name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        [running] = [
            each["metadata"]["name"]
            for each in of_kind(BUILDS[name], *RUNNING).values()
            if chosen(budget["spec"]["selector"], each["spec"]["template"]["metadata"]["labels"])
        ]
        assert running == budget_name


@each_build
def test_what_may_be_several_is_spread_over_nodes_and_zones(name: str) -> None:
    for component in ("gateway", "infer", "sink", "signals"):
        template = pods(BUILDS[name])[component]
        spread = template["spec"]["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert all(chosen(each["labelSelector"], template["metadata"]["labels"]) for each in spread)


def test_topics_have_three_replicas_unless_there_is_one_broker() -> None:
    replicated = {name: container(pods(BUILDS[name])["topics"])["args"] for name in BUILDS}
    assert replicated["base"] == replicated["cluster"] == ["topics", "create", "--replication", "3"]
    assert replicated["example"] == ["topics", "create"]


def test_overlay_of_a_cluster_asks_for_replicated_tables() -> None:
    for component in ("migrate", "sink", "signals"):
        assert environment(BUILDS["cluster"], pods(BUILDS["cluster"])[component])["TIELINE_CLICKHOUSE_CLUSTER"]
        assert "TIELINE_CLICKHOUSE_CLUSTER" not in environment(BUILDS["example"], pods(BUILDS["example"])[component])


def test_secret_that_is_mentioned_is_in_the_documentation_with_its_keys() -> None:
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    manifests = "".join(path.read_text() for path in KUBERNETES.rglob("*.yaml"))
    for secret in set(
        re.findall(r"(?:secretName|secret: \{name|secretKeyRef: \{name|credentials: \{name): ([a-z-]+)", manifests)
    ):
        assert f"`{secret}`" in text, secret
