"""What the ClickHouse plug-in (4.20) is asked: panel targets, variable queries, references to the data source."""

from __future__ import annotations

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

from deploy.dashboards.panel import Query

PLUGIN = "grafana-clickhouse-datasource"
PLUGIN_VERSION = "4.20.0"
TIME_SERIES, TABLE = 0, 1
"""The plug-in's formats: 0 turns texts into labels of series, 1 leaves rows as they are."""


class Target(Dataquery):
    """One statement of a panel or of an annotation, in the plug-in's query model."""

    def __init__(self, ref: str, sql: str, uid: str, long_format: bool = False) -> None:
        self.ref = ref
        self.sql = sql
        self.uid = uid
        self.long_format = long_format

    def to_json(self) -> dict[str, object]:
        return {
            "refId": self.ref,
            "datasource": {"type": PLUGIN, "uid": self.uid},
            "editorType": "sql",
            "pluginVersion": PLUGIN_VERSION,
            "rawSql": self.sql,
            "format": TIME_SERIES if self.long_format else TABLE,
            "queryType": "timeseries" if self.long_format else "table",
            "meta": {},
        }


def panel_target(query: Query, uid: str) -> Target:
    """The target of a query."""
    return Target(query.ref, query.sql, uid, long_format=as_series(query))


def as_series(query: Query) -> bool:
    """Whether texts of the answer name its series.

    Not so if a text is there for readers only: as a label it would tear a line apart wherever it changes. Such an
    answer is asked for as a table, which a time series panel draws as well, one series for each number.
    """
    return query.time_series and not any(column.kind == "text" and column.hidden for column in query.columns)


def variable_query(sql: str) -> dict[str, object]:
    """Of a variable: `editorType` is what 4.20 reads, `queryType` what its successor reads."""
    return {"refId": "variable", "editorType": "sql", "queryType": "sql", "rawSql": sql}


def source_ref(uid: str) -> DataSourceRef:
    """Says where panels, variables and annotations are answered."""
    return DataSourceRef(type_val=PLUGIN, uid=uid)
