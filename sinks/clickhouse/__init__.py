"""ClickHouse: migrations, writer, views and queries."""
