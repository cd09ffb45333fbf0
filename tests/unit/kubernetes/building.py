"""What `kustomize build` makes of deploy/kubernetes, for machines without it.

Only what those files use; anything else is refused, so that it is not silently left out. Patches are JSON patches.
Where kustomize is installed, test_valid.py compares the two, object by object.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir() if path.is_dir()))
WITHOUT_NAMESPACE = ("Namespace",)


@cache
def built(folder: Path) -> tuple[Object, ...]:
    """The objects of a kustomization, with names of generated settings as they are on the cluster."""
    objects = _assembled(folder, [])
    names = {each["metadata"]["name"]: _hashed(each) for each in objects if each.pop("generated", False)}
    for each in objects:
        if each["kind"] == "ConfigMap":
            each["metadata"]["name"] = names[each["metadata"]["name"]]
        for reference in _references(each):
            reference["name"] = names.get(reference["name"], reference["name"])
    return tuple(objects)


def overlay(name: str) -> tuple[Object, ...]:
    """The objects of an overlay."""
    return built(KUBERNETES / "overlays" / name)


def _assembled(folder: Path, objects: list[Object]) -> list[Object]:
    """What a kustomization adds to the objects there are and makes of all of them, in the order of kustomize."""
    text = yaml.safe_load((folder / "kustomization.yaml").read_text())
    objects = list(objects)
    own = objects if text.pop("kind") == "Component" else []
    del text["apiVersion"]
    for resource in text.pop("resources", []):
        path = folder / resource
        own += _assembled(path, []) if path.is_dir() else _documents(path)
    for settings in text.pop("configMapGenerator", []):
        _generate(own, folder, settings, text.get("generatorOptions", {}))
    text.pop("generatorOptions", None)
    for component in text.pop("components", []):
        own = _assembled(folder / component, own)
    for patch in text.pop("patches", []):
        _patch(own, folder, patch)
    for name in filter(None, [text.pop("namespace", None)]):
        _put_into_namespace(own, name)
    for labels in text.pop("labels", []):
        assert labels.keys() == {"pairs"}
        for each in own:
            each["metadata"].setdefault("labels", {}).update(labels["pairs"])
    for image in text.pop("images", []):
        _name_image(own, image)
    assert not text, f"{folder}: nobody here knows {', '.join(text)}"
    return own


def _documents(path: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each is not None]


def _generate(own: list[Object], folder: Path, settings: Object, options: Object) -> None:
    unknown = settings.keys() - {"name", "behavior", "literals", "files"}
    assert not unknown, unknown
    data = dict(each.split("=", 1) for each in settings.get("literals", []))
    data |= {Path(file).name: (folder / file).read_text() for file in settings.get("files", [])}
    known = [each for each in own if each["kind"] == "ConfigMap" and each["metadata"]["name"] == settings["name"]]
    behavior = settings.get("behavior", "create")
    assert len(known) == (behavior != "create"), f"{folder}: {settings['name']}: {behavior}"
    if behavior == "create":
        metadata = {"name": settings["name"]} | copy.deepcopy(options)
        own.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, "generated": True})
    elif behavior == "merge":
        known[0]["data"] |= data
    else:
        known[0]["data"] = data


def _patch(own: list[Object], folder: Path, patch: Object) -> None:
    text = (folder / patch["path"]).read_text() if "path" in patch else patch["patch"]
    target = patch["target"]
    assert target.keys() <= {"kind", "name"}
    assert patch.keys() <= {"target", "path", "patch"}
    meant = [
        each
        for each in own
        if each["kind"] == target["kind"] and re.fullmatch(target.get("name", ".*"), each["metadata"]["name"])
    ]
    assert meant, f"{folder}: there is no {target}"
    for each in meant:
        for operation in yaml.safe_load(text):
            _apply(each, operation)


def _apply(target: Any, operation: Object) -> None:
    """One operation of a JSON patch (RFC 6902)."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    for part in path:
        target = target[int(part)] if isinstance(target, list) else target[part]
    key = last if isinstance(target, dict) or last == "-" else int(last)
    if operation["op"] == "add" and isinstance(target, list):
        target.insert(len(target) if key == "-" else key, copy.deepcopy(operation["value"]))
    elif operation["op"] == "add":
        target[key] = copy.deepcopy(operation["value"])
    elif operation["op"] == "replace":
        assert isinstance(target, list) or key in target, operation["path"]
        target[key] = copy.deepcopy(operation["value"])
    elif operation["op"] == "remove":
        del target[key]
    else:
        assert (operation["op"], operation["value"]) == ("test", target[key])


def _put_into_namespace(own: list[Object], name: str) -> None:
    for each in own:
        if each["kind"] in WITHOUT_NAMESPACE:
            each["metadata"]["name"] = name
        else:
            each["metadata"]["namespace"] = name


def _name_image(own: list[Object], image: Object) -> None:
    assert image.keys() <= {"name", "newName", "newTag"}
    for container in (each for one in own for each in _containers(one)):
        name, _, tag = container["image"].partition(":")
        if name == image["name"]:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def _containers(each: Object) -> list[Object]:
    spec = each.get("spec", {}).get("template", {}).get("spec", {}) if each["kind"] != "Pod" else each["spec"]
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def _references(value: Any) -> Iterator[Object]:
    """Places that name a ConfigMap."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("configMap", "configMapRef", "configMapKeyRef") and isinstance(each, dict):
                yield each
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _hashed(settings: Object) -> str:
    """Its name with the hash of its content: kustomize's own, of sorted JSON whose `name` is, by mistake, empty."""
    told = {"data": settings["data"], "kind": "ConfigMap", "name": ""}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for letter, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):  # as Go writes JSON
        text = text.replace(letter, escape)
    digits = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{settings['metadata']['name']}-{digits.translate(str.maketrans('013ae', 'ghkmt'))}"
