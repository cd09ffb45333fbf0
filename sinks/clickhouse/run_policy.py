"""The policy that a run was made with, as text: equal policies have equal texts, byte for byte.

Only what a fold uses is kept. Role maps and words act at the edge, before there are events: a replay never sees them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from schemas.policy import Policy, PolicyBook

_AT_THE_EDGE = ("role_maps", "words")


def policy_text(book: PolicyBook) -> str:
    """All versions as canonical JSON: keys and sets sorted, defaults written out, no spaces."""
    return json.dumps([plain(policy) for policy in book.policies], sort_keys=True, separators=(",", ":"))


def policy_book(text: str) -> PolicyBook:
    """The versions in such a text, the empty text included; role maps and words are empty.

    Raises: PolicyError, pydantic.ValidationError: not written by this version's `policy_text`.
    """
    return PolicyBook(tuple(Policy.model_validate(policy) for policy in json.loads(text or "[]")))


def plain(value: Any) -> Any:
    """A part of a policy as JSON has it, sets sorted, without what acts at the edge."""
    if isinstance(value, BaseModel):
        return {name: plain(part) for name, part in value if name not in _AT_THE_EDGE}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(plain, value))
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return to_jsonable_python(value)
