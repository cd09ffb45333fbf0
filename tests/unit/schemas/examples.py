"""The examples of docs/contract.md, one of each event type."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

CONTRACT_PAGE = Path(__file__).parents[3] / "docs" / "contract.md"
Json = dict[str, Any]


@cache
def example_texts() -> tuple[str, ...]:
    """Every JSON block of the page, as written."""
    return tuple(re.findall(r"```json\n(.*?)```", CONTRACT_PAGE.read_text(encoding="utf-8"), re.DOTALL))


def examples() -> list[Json]:
    """Every example, parsed anew: tests may change them."""
    return [json.loads(text) for text in example_texts()]


def example(verb: str, **changes: Any) -> Json:
    """The example of `tieline.<verb>.v1` with other envelope fields; `data` is merged into the example's."""
    found = next(each for each in examples() if each["type"] == f"tieline.{verb}.v1")
    return {**found, **changes, "data": {**found["data"], **changes.get("data", {})}}


def encoded(event: Json) -> bytes:
    return json.dumps(event).encode()
