"""`tieline migrate`: bring ClickHouse's tables and views up to this version."""

from __future__ import annotations

from deploy.cli.console import out
from deploy.cli.options import DataOption


def migrate(data: DataOption = None) -> None:
    """Create or update the tables and views in ClickHouse; safe to run again."""
    from deploy.composition.target import find_target
    from sinks.clickhouse.migrate import migrate as apply_migrations
    from sinks.clickhouse.settings import connect

    client = connect(find_target(data).clickhouse)
    applied = apply_migrations(client)
    out.print(f"applied: {', '.join(applied)}" if applied else "the store is up to date", markup=False)
