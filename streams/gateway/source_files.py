"""Reading `sources.yaml`, and other files of settings.

Errors say where, what was expected, what a misspelt name was meant to be; never a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError
from streams.gateway.sources import Sources

MAX_FILE_BYTES = 1024 * 1024
Settings = TypeVar("Settings", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would keep the last and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"`{key.value}` occurs twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_sources(path: Path) -> Sources:
    """The settings in a file. Raises: ConfigError: as `read_settings`."""
    return read_settings(path, Sources, "sources:")


def parse_sources(text: str, name: str = "sources") -> Sources:
    """The settings in a YAML text; `name` stands in errors. Raises: ConfigError: as `read_settings`."""
    return parse_settings(text, name, Sources, "sources:")


def read_settings(path: Path, model: type[Settings], such_as: str) -> Settings:
    """The settings in a file.

    Args:
        such_as: a field of it, for who has written something else.
    Raises: ConfigError: with file, field and what was expected. Operator action: correct that field.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than 1 MiB: these are no settings with `{such_as}`")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    return parse_settings(text, str(path), model, such_as)


def parse_settings(text: str, name: str, model: type[Settings], such_as: str) -> Settings:
    """The settings in a YAML text; `name` stands in errors. Raises: ConfigError: as `read_settings`."""
    try:
        given = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{name}{place}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigError(f"{name}: not YAML") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{name}: expected fields such as `{such_as}`")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise ConfigError("; ".join(f"{name}: {explained(each, model)}" for each in found[:20])) from None


def explained(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Field path and expectation of one pydantic error. What was given is not repeated: it may be a secret."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    field = ".".join(map(str, path)) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown field{_meant(str(path[-1]), _fields_at(model, path[:-1]))}"
    if error["type"] == "missing":
        return f"{field}: required, but missing"
    if error["type"] == "string_pattern_mismatch" and error["loc"][-1] == "[key]":
        return f"{field}: a name is 1 to 64 of a-z 0-9 _ . - and starts with a letter or digit"
    return f"{field}: {error['msg'].removeprefix('Value error, ')}"


def _meant(given: str, known: list[str]) -> str:
    close = get_close_matches(given, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; expected one of {', '.join(known)}" if known else ""


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    kind: Any = model
    for part in path:
        inside = next(_models(kind), None)
        if inside is not None and isinstance(part, str) and part in inside.model_fields:
            kind = inside.model_fields[part].annotation
    found = next(_models(kind), None)
    return list(found.model_fields) if found else []


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation: itself, or the values of a list, a dict, a union."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) in (dict, tuple, list, Union, UnionType, Annotated):
        for argument in get_args(kind):
            yield from _models(argument)
