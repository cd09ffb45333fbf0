"""All documents of the contract, and writing them."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.export.asyncapi import Json, asyncapi_document
from schemas.export.json_schema import schema_documents

ASYNCAPI_FILE = "asyncapi.json"


def contract_documents() -> dict[str, Json]:
    """File name relative to the contract's folder → document."""
    return {ASYNCAPI_FILE: asyncapi_document(), **schema_documents()}


def write_contract(directory: Path) -> list[Path]:
    """Write every document below `directory`, which is made if need be; files of other names stay as they are.

    Returns: the files, in order. Raises: OSError: cannot be written there.
    """
    return [_write(directory / name, document) for name, document in sorted(contract_documents().items())]


def _write(path: Path, document: Json) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
