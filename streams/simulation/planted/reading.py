"""A world from the text of a YAML file, with errors that say where and what was expected."""

from __future__ import annotations

import yaml
from pydantic import ValidationError

from schemas.errors import ConfigError
from streams.simulation.planted.world import World

MAX_CHARACTERS = 256 * 1024


def world_of(text: str, name: str) -> World:
    """The world that a YAML text describes; `name` is how messages call it.

    Raises: ConfigError: naming the field and what was expected. Operator action: correct that field.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"{name}: longer than {MAX_CHARACTERS:,} characters")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{name}{where}: not YAML") from None
    if not isinstance(document, dict | None):
        raise ConfigError(f"{name}: expected fields such as `roles:`, found {type(document).__name__}")
    try:
        return World.model_validate(document or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{name}{': ' + field if field else ''}: {first['msg'].removeprefix('Value error, ')}"
        ) from None
