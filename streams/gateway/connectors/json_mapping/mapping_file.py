"""Reading the mapping file of JSON payloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.log_import.mapping_file import PAYLOAD_FORMAT, parse_yaml, read_text, validated


def read_payload_mapping(path: Path) -> PayloadMapping:
    """The mapping in a file.

    Raises: ConfigError: with file, field, what was expected, and the likely meaning of a misspelt word.
    """
    return parse_payload_mapping(read_text(path), str(path))


def parse_payload_mapping(text: str, name: str = "mapping") -> PayloadMapping:
    """The mapping in a YAML text; `name` stands in errors. Raises: ConfigError: as `read_payload_mapping`."""
    return check_payload_mapping(parse_yaml(text, name), name)


def check_payload_mapping(given: dict[Any, Any], name: str = "mapping") -> PayloadMapping:
    """The mapping that these fields are. Raises: ConfigError: as `read_payload_mapping`."""
    form = given.get("format")
    if form != PAYLOAD_FORMAT:
        stated = "says no `format`" if form is None else "is not for JSON payloads"
        raise ConfigError(f"{name}: the mapping {stated}: expected `format: json`")
    return validated(given, PayloadMapping, name)
