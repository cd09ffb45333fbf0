"""Reading a mapping file: YAML in, a model or one message that names every mistake out."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError
from streams.gateway.log_import.mapping import Mapping, model_of

MAX_FILE_BYTES = 1024 * 1024
PAYLOAD_FORMAT = "json"
MAX_MISTAKES = 100
MAX_OPEN_BRACKETS = 200
MAX_PARTS = 20_000
"""Fields and values of a file, what stands behind an alias as often as it is referred to."""

_Model = TypeVar("_Model", bound=BaseModel)
_BRACKETS = re.compile(r"[\[\]{}]")
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


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
            if key_node.tag == "tag:yaml.org,2002:merge":
                # Merges of merges grow without end before anybody could count them.
                raise yaml.constructor.ConstructorError(None, None, "`<<` is not for mappings", key_node.start_mark)
        else:
            raise yaml.constructor.ConstructorError(None, None, "a field's name is a text", key_node.start_mark)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_mapping(path: Path) -> Mapping:
    """The mapping of a log in a file.

    Raises: ConfigError: with file, field, what was expected, and the likely meaning of a misspelt word.
    """
    return parse_mapping(read_text(path), str(path))


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """The mapping in a YAML text; `name` stands in errors. Raises: ConfigError: as `read_mapping`."""
    given = parse_yaml(text, name)
    if given.get("format") == PAYLOAD_FORMAT:
        raise ConfigError(f"{name}: format: this mapping is for JSON payloads that the gateway receives, not for logs")
    return validated(given, Mapping, name)


def read_text(path: Path) -> str:
    """The text of a mapping file. Raises: ConfigError: there is none."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than 1 MiB: this is not a mapping file")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None


def parse_yaml(text: str, name: str) -> dict[Any, Any]:
    """The fields of a mapping file, not yet checked. Raises: ConfigError: with the place of the mistake."""
    if _open_brackets(text) > MAX_OPEN_BRACKETS:  # each of which YAML's scanner would look at for every token
        raise ConfigError(f"{name}: more than {MAX_OPEN_BRACKETS} open brackets: this is not a mapping file")
    try:
        given = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise ConfigError(f"{name}: {place}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, AttributeError, OverflowError):
        raise ConfigError(f"{name}: not valid YAML") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{name}: expected fields such as `process:` and `role:`; see docs/importing.md")
    if _too_many_parts(given):
        raise ConfigError(f"{name}: more than {MAX_PARTS} fields and values: this is not a mapping file")
    return given


def _open_brackets(text: str) -> int:
    depths = accumulate(1 if bracket in "[{" else -1 for bracket in _BRACKETS.findall(text))
    return max(depths, default=0)


def _too_many_parts(given: object) -> bool:
    waiting, parts = [given], 0
    while waiting:
        part = waiting.pop()
        inner = [*part, *part.values()] if isinstance(part, dict) else part if isinstance(part, list | set) else ()
        parts += 1 + len(inner)
        if parts > MAX_PARTS:
            return True
        waiting.extend(inner)
    return False


def validated(given: dict[Any, Any], model: type[_Model], name: str) -> _Model:
    """The fields as their model. Raises: ConfigError: naming every mistake on a line of its own."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        lines = [f"{name}: {_explain(detail, model)}" for detail in error.errors(include_url=False)[:MAX_MISTAKES]]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def suggestion(word: object, known: list[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    if not isinstance(word, str) or len(word) > 100:
        return ""
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f"; did you mean {lowered[close[0]]!r}?" if close else ""


def _explain(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = ".".join(part if isinstance(part, str) else _found(part) for part in detail["loc"] if part != "[key]")
    return f"{path}: {_expected(detail, model)}" if path else _expected(detail, model)


def _expected(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, given = detail["type"], _found(detail["input"])
    if kind == "extra_forbidden":
        known = _fields_at(model, detail["loc"][:-1])
        return f"unknown field{suggestion(detail['loc'][-1], known) or f'; known here: {_listed(known)}'}"
    if kind == "missing":
        return "is needed"
    if kind == "string_type":
        return f"expected text, found {given}: put quotes around it"
    if kind == "literal_error":
        known = [word.strip(" '") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"expected one of {_listed(known)}, found {given}{suggestion(detail['input'], known)}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "tuple_type":
        return "expected a list"
    if kind in ("model_type", "model_attributes_type"):
        return f"expected the fields {_listed(_fields_at(model, detail['loc']))}"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {given}"


def _found(given: object) -> str:
    try:
        return _SHORT.repr(given)
    except ValueError:  # more digits than Python writes
        return "a number without end"


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def _fields_at(model: type[BaseModel] | None, place: tuple[int | str, ...]) -> list[str]:
    for part in place:
        if model is not None and isinstance(part, str):
            field = model.model_fields.get(part)
            model = model_of(field.annotation) if field else None
    return list(model.model_fields) if model else []
