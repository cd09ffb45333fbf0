"""The engine's own parser takes every statement that a cluster would be given."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.clickhouse.settings import ClickHouseSettings, connect
from tests.unit.sinks.test_cluster import all_statements


def test_every_statement_for_a_cluster_parses(store: ClickHouseSettings) -> None:
    client = connect(store.model_copy(update={"database": "default"}))
    statements = all_statements()
    assert len(statements) > 100
    for statement in statements:
        client.raw_query(f"EXPLAIN AST {statement}")
    with pytest.raises(DatabaseError, match="Syntax error"):
        client.raw_query(f"EXPLAIN AST {statements[-1]} FROM FROM")
    client.close()
