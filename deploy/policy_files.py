"""Policy files: YAML from disk to a `PolicyBook`, with errors that say where and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.calendar import Calendar, Hours
from schemas.errors import PolicyError
from schemas.policy import ContactBand, Observes, Pauses, Policy, PolicyBook, ProcessPolicy, Publish, Targets
from schemas.role_maps import RoleMaps
from schemas.vocabulary import Period, Rule
from schemas.words import Meaning, WordRule

SUFFIXES = (".yaml", ".yml")

# Which model stands at which path, so that an unknown key can be compared with the known ones. `*` is any one name.
_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Policy,
    ("role_maps",): RoleMaps,
    ("calendars", "*"): Calendar,
    ("calendars", "*", "hours"): Hours,
    ("processes", "*"): ProcessPolicy,
    ("processes", "*", "observes", "*"): Observes,
    ("processes", "*", "targets"): Targets,
    ("processes", "*", "pauses"): Pauses,
    ("processes", "*", "contact_band"): ContactBand,
    ("processes", "*", "publish"): Publish,
    ("processes", "*", "words", "*"): WordRule,
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "rules": get_args(Rule),
    "period": get_args(Period),
    "means": get_args(Meaning),
}
# In the words of YAML, where pydantic speaks of Python.
_EXPECTED = {
    "string_type": "expected a text; put it in quotes if YAML takes it for something else (4, no, 2026-01-31)",
    "tuple_type": "expected a list, such as [a, b]",
    "frozen_set_type": "expected a list, such as [a, b]",
}


def load_policy_book(paths: Sequence[Path]) -> PolicyBook:
    """All versions in the given files; a folder means the `.yaml` and `.yml` files directly in it.

    A file holds one version, or several as separate documents (`---`).

    Raises: PolicyError: naming file, document, field and what was expected. Operator action: correct that field.
    """
    files = [file for path in paths for file in _files(path)]
    policies = [policy for file in dict.fromkeys(files) for policy in _policies(file)]
    try:
        return PolicyBook(tuple(policies))
    except PolicyError as error:
        raise PolicyError(f"{', '.join(map(str, paths))}: {error}") from None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path.resolve()]
    found = sorted(file.resolve() for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise PolicyError(f"{path}: no policy files; expected at least one {' or '.join(SUFFIXES)}")
    return found


def _policies(file: Path) -> Iterator[Policy]:
    documents = _documents(file)
    for number, document in enumerate(documents, 1):
        where = str(file) if len(documents) == 1 else f"{file}, document {number}"
        if not isinstance(document, dict):
            raise PolicyError(f"{where}: expected fields such as `version:`, found {type(document).__name__}")
        yield _policy(where, document)


def _policy(where: str, document: dict[Any, Any]) -> Policy:
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise PolicyError("; ".join(f"{where}: {_explained(each)}" for each in found)) from None


def _documents(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    try:
        documents = [document for document in yaml.load_all(text, Loader=_StrictLoader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise PolicyError(f"{file}{place}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{file}: not YAML: {type(error).__name__}") from None
    if not documents:
        raise PolicyError(f"{file}: empty; expected fields such as `version:`")
    return documents


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses repeated keys and times without a zone. No tag can name Python objects."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            # `<<` merges an anchor's keys, which may be overridden: that is what it is for.
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    _refuse(key, f"`{key.value}` occurs twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _date_or_time(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    """A date as written, or a time in ISO format. PyYAML itself would take a time without a zone for UTC."""
    text = str(node.value)
    if len(text) <= len("2026-01-31"):
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        _refuse(node, f"{text!r} is not a time; expected such as 2026-01-31T00:00:00Z")
    if at.tzinfo is None:
        _refuse(node, f"{text!r} has no time zone; add Z for UTC, or an offset such as +01:00")
    return at.isoformat()


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _date_or_time)


def _explained(error: ErrorDetails) -> str:
    """Field path and expectation of one pydantic error, with a guess at what a misspelt name was meant to be."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    field = ".".join(map(str, path)) or "policy"
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown field{_meant(str(path[-1]), _fields_at(path[:-1]))}"
    if error["type"] == "missing":
        return f"{field}: required, but missing"
    if error["type"] == "timezone_aware":
        return f"{field}: {error['input']!r} has no time zone; expected such as 2026-01-31T00:00:00Z"
    if error["type"] in _EXPECTED:
        return f"{field}: {_EXPECTED[error['type']]}"
    choices = next((_CHOICES[part] for part in reversed(path) if isinstance(part, str) and part in _CHOICES), ())
    guess = _meant(str(error["input"]), choices) if error["type"] == "literal_error" else ""
    return f"{field}: {error['msg'].removeprefix('Value error, ')}{guess}"


def _fields_at(path: tuple[int | str, ...]) -> tuple[str, ...]:
    for pattern, model in _MODELS.items():
        if len(pattern) == len(path) and all(p in ("*", str(q)) for p, q in zip(pattern, path, strict=True)):
            return tuple(model.model_fields)
    return ()


def _meant(given: str, known: Sequence[str]) -> str:
    close = get_close_matches(given, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; expected one of {', '.join(known)}" if known else ""
