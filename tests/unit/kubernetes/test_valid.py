"""Every object is one that Kubernetes knows, field by field."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed
import pytest
import yaml

from tests.unit.kubernetes.building import KUBERNETES, Object
from tests.unit.kubernetes.manifests import BUILDS, of_kind

SCHEMAS = json.loads((Path(__file__).parent / "schemas" / "kubernetes.json").read_text())


@pytest.mark.parametrize("name", BUILDS)
def test_object_has_the_fields_of_its_kind_and_no_other(name: str) -> None:
    for each in BUILDS[name]:
        faults = [
            f"{each['metadata']['name']}: {'/'.join(map(str, fault.path))}: {fault.message}" for fault in _faults(each)
        ]
        assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/replica", 2),
        ("/spec/template/spec/securityContext/runAsNonRoot", "yes"),
        ("/spec/template/spec/containers/0/readonlyRootFilesystem", True),
        ("/spec/template/spec/topologySpreadConstraints/0/whenUnsatisfiable", "Sometimes"),
        ("/spec/template/spec/containers/0/ports/0/containerPort", "9464"),
    ],
)
def test_misspelt_field_or_wrong_value_is_refused(path: str, value: object) -> None:
    deployment = json.loads(json.dumps(of_kind(BUILDS["base"], "Deployment")["tieline-infer"]))
    *parents, last = path.split("/")[1:]
    place: Any = deployment
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    assert _faults(deployment)


@pytest.mark.parametrize("name", BUILDS)
def test_name_is_used_once(name: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in BUILDS[name]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", BUILDS)
def test_object_is_in_the_namespace_of_its_overlay_and_the_base_is_in_none(name: str) -> None:
    found = {each["metadata"].get("namespace") for each in BUILDS[name] if each["kind"] != "Namespace"}
    assert found == ({None} if name == "base" else {"tieline"})


def test_every_file_belongs_to_a_build() -> None:
    used = {
        path
        for name in ("base", *(f"overlays/{each}" for each in BUILDS if each != "base"))
        for path in _files(KUBERNETES / name)
    }
    assert used == set(KUBERNETES.rglob("*.yaml"))


@pytest.mark.parametrize("name", BUILDS)
def test_kustomize_builds_the_same(name: str) -> None:
    command = next((each for each in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(each[0])), None)
    if command is None:
        pytest.skip("neither kustomize nor kubectl is installed: only our own reading of these files is tested")
    folder = KUBERNETES / name if name == "base" else KUBERNETES / "overlays" / name
    ended = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert _by_name(list(yaml.safe_load_all(ended.stdout))) == _by_name(BUILDS[name])


def _by_name(objects: list[Object] | tuple[Object, ...]) -> dict[tuple[str, str], Object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


@cache
def _validator(kind: str) -> Any:
    return jsonschema.Draft7Validator({"definitions": SCHEMAS["definitions"], "allOf": [SCHEMAS["kinds"][kind]]})


def _faults(each: Object) -> list[Any]:
    return list(_validator(f"{each['apiVersion']} {each['kind']}").iter_errors(each))


def _files(folder: Path) -> set[Path]:
    """All files that a kustomization reads."""
    file = folder / "kustomization.yaml"
    text = yaml.safe_load(file.read_text())
    found = {file}
    for each in [*text.get("resources", []), *text.get("components", [])]:
        path = (folder / each).resolve()
        found |= _files(path) if path.is_dir() else {path}
    found |= {folder / each for settings in text.get("configMapGenerator", []) for each in settings.get("files", [])}
    return found | {folder / patch["path"] for patch in text.get("patches", []) if "path" in patch}
