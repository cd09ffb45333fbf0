"""Reading a mapping file: YAML in, a `Mapping` or one message that names every mistake out."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError
from streams.gateway.log_import.mapping import Mapping, model_of

MAX_FILE_BYTES = 1024 * 1024


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice (YAML would keep the last and say nothing)."""


def _mapping_without_repeats(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if isinstance(key_node, yaml.ScalarNode):
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file.

    Raises: ConfigError: with file, field, what was expected, and the likely meaning of a misspelt word.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than 1 MiB: this is not a mapping file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """The mapping in a YAML text; `name` stands in errors. Raises: ConfigError: as `read_mapping`."""
    try:
        given = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise ConfigError(f"{name}: {place}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigError(f"{name}: not valid YAML") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{name}: expected fields such as `process:` and `role:`; see docs/importing.md")
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        lines = [f"{name}: {_explain(detail)}" for detail in error.errors(include_url=False)]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def suggestion(word: object, known: list[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(str(word).lower(), list(lowered), n=1, cutoff=0.6)
    return f"; did you mean {lowered[close[0]]!r}?" if close else ""


def _explain(detail: ErrorDetails) -> str:
    path = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    return f"{path}: {_expected(detail)}" if path else _expected(detail)


def _expected(detail: ErrorDetails) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        known = _fields_at(detail["loc"][:-1])
        return f"unknown field{suggestion(detail['loc'][-1], known) or f'; known here: {_listed(known)}'}"
    if kind == "missing":
        return "is needed"
    if kind == "string_type":
        return f"expected text, found {given!r}: put quotes around it"
    if kind == "literal_error":
        known = [word.strip(" '") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"expected one of {_listed(known)}, found {given!r}{suggestion(given, known)}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "tuple_type":
        return "expected a list"
    if kind in ("model_type", "model_attributes_type"):
        return f"expected the fields {_listed(_fields_at(detail['loc']))}"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {given!r}"


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def _fields_at(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] | None = Mapping
    for part in place:
        if model is not None and isinstance(part, str):
            field = model.model_fields.get(part)
            model = model_of(field.annotation) if field else None
    return list(model.model_fields) if model else []
