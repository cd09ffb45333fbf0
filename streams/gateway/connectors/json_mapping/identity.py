"""Ids that are the same whenever the same is told again."""

from __future__ import annotations

import json
from hashlib import sha256

from streams.gateway.connectors.json_mapping.entry import Entry

_HEX_DIGITS = 32


def entry_id(entry: Entry, text: str | None, place: str, used: list[object]) -> str:
    """What the `id` expression finds, else a hash of what the event says.

    Never of who acted, nor of a text: a hash without a key would let anybody test whether a name is behind it.

    Raises: UnusableRow: bad_id.
    """
    found = entry.name(text, place) if text else ""
    if found:
        return found
    return sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:_HEX_DIGITS]
