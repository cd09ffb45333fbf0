"""ClickHouse's HTTP interface over chDB: one process per data folder, loopback only."""
