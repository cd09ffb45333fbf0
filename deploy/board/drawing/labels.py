"""Texts that stand for places: rows, columns and categories."""

from __future__ import annotations

import re

_ORDER = re.compile(r"^\d+ (?=\D)")


def without_order(label: str) -> str:
    """`1 Mon` is `Mon`: the number is there so that other programs sort it right; here rows keep their order."""
    return _ORDER.sub("", label)
