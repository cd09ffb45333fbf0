"""The method's formulas, each written once: expressions that Python and ClickHouse both render."""
