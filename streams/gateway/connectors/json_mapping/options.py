"""The settings of a source that uses a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.errors import ConfigError
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.connectors.json_mapping.mapping_file import check_payload_mapping, read_payload_mapping


def _read(given: object) -> object:
    try:
        if isinstance(given, str | Path):
            return read_payload_mapping(Path(given))
        if isinstance(given, Mapping):
            return check_payload_mapping(dict(given))
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return given


class JsonOptions(BaseModel):
    """Attributes:
    mapping: a mapping file's path, from the working directory unless it is absolute, or the mapping itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapping: Annotated[PayloadMapping, BeforeValidator(_read)]


def mapping_of(options: Mapping[str, Any]) -> PayloadMapping:
    """The mapping of a source, from its settings, whether they were checked before or not.

    Raises: ConfigError: there is none, or it is wrong.
    """
    try:
        return JsonOptions.model_validate(dict(options)).mapping
    except ValueError as error:
        raise ConfigError(f"the connector json needs the option `mapping`: {error}") from None
