"""Ids of a message within its work item, at most as long as the contract lets them be."""

from __future__ import annotations

from hashlib import sha256

_MAX_CODE = 128


def bounded(text: str) -> str:
    """The text itself, or its beginning and a digest of all of it."""
    if len(text) <= _MAX_CODE:
        return text
    return f"{text[:80]}~{sha256(text.encode()).hexdigest()[:32]}"
