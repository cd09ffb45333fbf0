"""Is what Grafana has what we want it to have? And if not, what differs, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

Json = dict[str, Any]
_LONGEST = 90
_MADE_BY_GRAFANA = frozenset({"id", "version", "iteration", "gnetId"})
"""Of a whole; deeper, an `id` is what somebody chose."""
_MADE_ANYWHERE = frozenset({"pluginVersion"})
_REDACTED = "[REDACTED]"
_NOWHERE = object()


def differences(wanted: object, present: object, tell_added: bool = False) -> list[str]:
    """One line for each value that differs, with its place; empty: nothing does.

    What Grafana adds on its own (ids, versions, empty defaults) and what it hides is never a difference.

    tell_added: also what somebody added where we want nothing, as people do in dashboards.
    """
    return list(_differ(wanted, present, "", tell_added))


def _differ(wanted: object, present: object, place: str, tell_added: bool) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(present, dict):
        yield from _differ_in_keys(wanted, present, place, tell_added)
    elif isinstance(wanted, list) and isinstance(present, list):
        yield from _differ_in_items(wanted, present, place, tell_added)
    elif not _same(wanted, present):
        yield from _changed(place, wanted, present)


def _differ_in_keys(wanted: Json, present: Json, place: str, tell_added: bool) -> Iterator[str]:
    not_ours = _MADE_ANYWHERE if place else _MADE_ANYWHERE | _MADE_BY_GRAFANA
    for key, value in wanted.items():
        if key in not_ours:
            continue
        yield from _differ(value, present.get(key), f"{place}.{key}".lstrip("."), tell_added)
    if not tell_added:
        return
    for key in sorted(present.keys() - wanted.keys() - not_ours):
        if not _nothing(present[key]):
            yield f"{place}.{key}".lstrip(".") + f": added {_short(present[key])}"


def _differ_in_items(wanted: list[Any], present: list[Any], place: str, tell_added: bool) -> Iterator[str]:
    if _numbered(wanted) and _numbered(present):
        pairs = _by_number(wanted, present)
    else:
        pairs = list(zip_longest(wanted, present, fillvalue=_NOWHERE))
    for index, (ours, theirs) in enumerate(pairs):
        if theirs is _NOWHERE:
            yield f"{_item(place, index, ours)}: is missing"
        elif ours is _NOWHERE:
            yield f"{_item(place, index, theirs)}: added"
        else:
            yield from _differ(ours, theirs, _item(place, index, ours), tell_added)


def _numbered(items: list[Any]) -> bool:
    """Panels have numbers of their own, and may stand anywhere in their list."""
    numbers = [item.get("id") if isinstance(item, dict) else None for item in items]
    return all(isinstance(number, int) for number in numbers) and len(set(numbers)) == len(numbers)


def _by_number(wanted: list[Any], present: list[Any]) -> list[tuple[Any, Any]]:
    left = {item["id"]: item for item in present}
    pairs = [(item, left.pop(item["id"], _NOWHERE)) for item in wanted]
    return pairs + [(_NOWHERE, item) for item in left.values()]


def _item(place: str, number: int, value: object) -> str:
    """People know a panel by its title, not by its number."""
    title = value.get("title") or value.get("refId") or value.get("name") if isinstance(value, dict) else None
    return f"{place}[{title or number}]"


def _same(wanted: object, present: object) -> bool:
    if present == _REDACTED or (_nothing(wanted) and _nothing(present)):
        return True
    if isinstance(wanted, bool) or isinstance(present, bool):
        return wanted is present
    return wanted == present


def _nothing(value: object) -> bool:
    """What Grafana leaves out, or puts in, where nothing was said."""
    if isinstance(value, dict):
        return all(_nothing(part) for part in value.values())
    return value is None or value is False or value in ("", [])


def _changed(place: str, wanted: object, present: object) -> Iterator[str]:
    if isinstance(wanted, str) and isinstance(present, str) and "\n" in wanted + present:
        yield f"{place}:"
        lines = difflib.unified_diff(present.splitlines(), wanted.splitlines(), lineterm="", n=0)
        for line in islice(lines, 2, None):  # the first two name files
            if not line.startswith("@@"):
                yield f"  {line}"
        return
    yield f"{place}: {_short(present)} → {_short(wanted)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
