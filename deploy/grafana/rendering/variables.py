"""Variables and annotations of a dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as sdk

from deploy.dashboards.dashboard import ALL, Annotation, Variable
from deploy.grafana.rendering.colours import HUE
from deploy.grafana.rendering.targets import Target, source_ref, variable_query


def variable(defined: Variable, uid: str) -> sdk.VariableModel:
    """Asked anew when the time range changes, because what exists depends on it; in the order of the SQL."""
    return sdk.VariableModel(
        type_val=sdk.VariableType.QUERY,
        name=defined.name,
        label=defined.label,
        hide=sdk.VariableHide.DONT_HIDE,
        datasource=source_ref(uid),
        query=variable_query(defined.sql),
        definition=defined.sql,
        refresh=sdk.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=sdk.VariableSort.DISABLED,
        regex="",
        multi=defined.multi,
        include_all=defined.all,
        all_value=defined.all_value or None,
        allow_custom_value=False,  # what is typed by hand would go into the SQL
        current=_current(defined),
        options=[],
    )


def annotation(defined: Annotation, uid: str) -> sdk.AnnotationQuery:
    """A table with the columns time, timeEnd, title, text, tags, which Grafana knows by these names."""
    return sdk.AnnotationQuery(
        name=defined.name,
        datasource=source_ref(uid),
        enable=True,
        hide=False,
        icon_color=HUE,
        target=Target("annotation", defined.sql, uid),
    )


def _current(defined: Variable) -> sdk.VariableOption | None:
    """What is chosen at first; None: the first value that the query gives."""
    if defined.default:
        return _option(defined.default, defined.default, defined.multi)
    return _option("All", ALL, defined.multi) if defined.all else None


def _option(text: str, value: str, multi: bool) -> sdk.VariableOption:
    if multi:
        return sdk.VariableOption(selected=True, text=[text], value=[value])
    return sdk.VariableOption(selected=True, text=text, value=value)
