"""Columns of an answer as Grafana's field overrides: title, unit, decimals, words for null.

An empty cell or a gap says `noValue`; without one of its own it would say what the panel says where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.models import dashboard as sdk

from deploy.dashboards.panel import Column

Override = sdk.DashboardFieldConfigSourceOverrides
Property = sdk.DynamicConfigValue

_UNITS = {"count": "locale", "number": "none", "share": "percentunit", "seconds": "dtdhms", "bytes": "bytes"}
_CHART_UNITS = {**_UNITS, "seconds": "s"}
"""In a table 02:05:00, on an axis 2 hours."""
_YES_NO = {"0": "no", "1": "yes", "false": "no", "true": "yes"}


def override(name: str, properties: Iterable[Property]) -> Override:
    """For the column of that name, however it is titled."""
    return Override(matcher=sdk.MatcherConfig(id_val="byName", options=name), properties=list(properties))


def has(name: str, value: object) -> Property:
    """One property of a field, such as `unit` or `custom.hidden`."""
    return Property(id_val=name, value=value)


def titled(column: Column) -> list[Property]:
    """A column of a table."""
    return [*_named(column, column.label, _UNITS), *_words(column), has("noValue", column.when_null)]


def figure(column: Column) -> list[Property]:
    """A big figure. Null is not put in words: without any row all figures are null, and the panel says why."""
    return [*_named(column, column.label, _UNITS), *(_words(column) if column.kind == "flag" else [])]


def drawn(column: Column, title: str = "") -> list[Property]:
    """A column on an axis."""
    named = _named(column, title or column.label, _CHART_UNITS)
    return [*named, *_words(column), has("noValue", column.when_null)]


def decimals(column: Column) -> int | None:
    """Places to show. Those of a share count from its own point: two of them are whole percents."""
    if column.kind == "share":
        return max(0, (2 if column.decimals is None else column.decimals) - 2)
    return 0 if column.kind == "count" else column.decimals


def says_when(match: str, text: str) -> sdk.SpecialValueMap:
    """A mapping of `null` or `empty` to words."""
    options = sdk.DashboardSpecialValueMapOptions(
        match=sdk.SpecialValueMatch(match), result=sdk.ValueMappingResult(text=text, index=0)
    )
    return sdk.SpecialValueMap(options=options)


def _named(column: Column, title: str, units: dict[str, str]) -> list[Property]:
    said = [has("displayName", title)]
    if column.kind in units:
        places = decimals(column)
        said += [has("unit", units[column.kind]), *([] if places is None else [has("decimals", places)])]
    return said


def _words(column: Column) -> list[Property]:
    if column.kind == "flag":
        words = {raw: sdk.ValueMappingResult(text=word, index=i) for i, (raw, word) in enumerate(_YES_NO.items())}
        return [has("mappings", [sdk.ValueMap(options=words)])]
    if column.nullable:
        return [has("mappings", [says_when("null", column.when_null)])]
    return []
