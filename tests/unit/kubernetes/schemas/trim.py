"""Makes the schemas beside it: what the published ones say of the kinds that deploy/kubernetes uses, and nothing else.

    python tests/unit/kubernetes/schemas/trim.py "Kubernetes 1.31.14, …" swagger.json keda.sh_scaledobjects.yaml …

The first argument says where they are from, the second is `api/openapi-spec/swagger.json` of Kubernetes (Go module
k8s.io/kubernetes), the others are files of custom resource definitions (github.com/kedacore/keda/v2, in
`config/crd/bases`; github.com/prometheus-operator/prometheus-operator, in `example/prometheus-operator-crd`). All of
them are under the Apache License 2.0, of which the repository has a copy. Changed: prose and formats are left out,
fields that are not named are refused, and values that the prose names are listed (`ALLOWED`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
KINDS = (
    "core.v1.Namespace",
    "core.v1.ServiceAccount",
    "core.v1.ConfigMap",
    "core.v1.Service",
    "apps.v1.Deployment",
    "apps.v1.StatefulSet",
    "batch.v1.Job",
    "policy.v1.PodDisruptionBudget",
    "networking.v1.NetworkPolicy",
    "networking.v1.Ingress",
)
KEPT = ("type", "required", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
REF = "#/definitions/"
ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    ("core.v1.TopologySpreadConstraint", "whenUnsatisfiable"): ("DoNotSchedule", "ScheduleAnyway"),
    ("core.v1.PodSpec", "restartPolicy"): ("Always", "OnFailure", "Never"),
    ("core.v1.PodSecurityContext", "fsGroupChangePolicy"): ("OnRootMismatch", "Always"),
    ("core.v1.SeccompProfile", "type"): ("RuntimeDefault", "Localhost", "Unconfined"),
    ("core.v1.HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("core.v1.ContainerPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("core.v1.ServicePort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("core.v1.ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("core.v1.Container", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("apps.v1.DeploymentStrategy", "type"): ("Recreate", "RollingUpdate"),
    ("apps.v1.StatefulSetUpdateStrategy", "type"): ("OnDelete", "RollingUpdate"),
    ("apps.v1.StatefulSetSpec", "podManagementPolicy"): ("OrderedReady", "Parallel"),
    ("apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted"): ("Retain", "Delete"),
    ("apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled"): ("Retain", "Delete"),
    ("batch.v1.PodFailurePolicyRule", "action"): ("FailJob", "FailIndex", "Ignore", "Count"),
    ("batch.v1.PodFailurePolicyOnExitCodesRequirement", "operator"): ("In", "NotIn"),
    ("policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy"): ("IfHealthyBudget", "AlwaysAllow"),
    ("networking.v1.NetworkPolicyPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("networking.v1.HTTPIngressPath", "pathType"): ("Exact", "Prefix", "ImplementationSpecific"),
}
ARRAYS_OF = {
    ("core.v1.PersistentVolumeClaimSpec", "accessModes"): (
        "ReadWriteOnce",
        "ReadOnlyMany",
        "ReadWriteMany",
        "ReadWriteOncePod",
    ),
    ("networking.v1.NetworkPolicySpec", "policyTypes"): ("Ingress", "Egress"),
}


def kubernetes(swagger: Schema) -> Schema:
    """Kinds and all that they refer to."""
    definitions = swagger["definitions"]
    wanted, found = [f"io.k8s.api.{kind}" for kind in KINDS], {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _definition(name, definitions[name])
            wanted += _references(found[name])
    kinds = {}
    for kind in KINDS:
        [known] = definitions[f"io.k8s.api.{kind}"]["x-kubernetes-group-version-kind"]
        version = "/".join(filter(None, (known["group"], known["version"])))
        kinds[f"{version} {known['kind']}"] = {"$ref": f"{REF}io.k8s.api.{kind}"}
        found[f"io.k8s.api.{kind}"]["properties"].pop("status", None)
    return {"kinds": kinds, "definitions": dict(sorted(found.items()))}


def custom(definition: Schema) -> Schema:
    """One custom resource in the version that is stored."""
    spec = definition["spec"]
    version = next(each for each in spec["versions"] if each["storage"])
    schema = trimmed(version["schema"]["openAPIV3Schema"])
    schema["properties"].pop("status", None)
    schema["properties"]["metadata"] = {"$ref": f"{REF}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    return {f"{spec['group']}/{version['name']} {spec['names']['kind']}": schema}


def trimmed(schema: Schema) -> Schema:
    """What is left of a schema. Unknown fields are refused wherever any are named."""
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kept = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in schema:
        kept["properties"] = {name: trimmed(each) for name, each in schema["properties"].items()}
        kept["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields", False))
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = trimmed(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = trimmed(schema["items"])
    return kept


def _definition(name: str, schema: Schema) -> Schema:
    if name.endswith(".Quantity"):
        return {"type": ["string", "number"]}
    kept, short = trimmed(schema), name.removeprefix("io.k8s.api.")
    for (owner, field), values in ALLOWED.items():
        if owner == short:
            kept["properties"][field]["enum"] = list(values)
    for (owner, field), values in ARRAYS_OF.items():
        if owner == short:
            kept["properties"][field]["items"]["enum"] = list(values)
    return kept


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REF)
        for each in schema.values():
            yield from _references(each)


if __name__ == "__main__":
    origin, swagger_path, *custom_paths = sys.argv[1:]
    made = kubernetes(json.loads(Path(swagger_path).read_text()))
    for path in map(Path, custom_paths):
        made["kinds"] |= custom(yaml.safe_load(path.read_text()))
    head = {"origin": f"{origin}; Apache License 2.0; changed, see trim.py"}
    target = Path(__file__).with_name("kubernetes.json")
    target.write_text(json.dumps({**head, **made}, separators=(",", ":")) + "\n")
