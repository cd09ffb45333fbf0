"""One blocking insert of encoded rows."""

from __future__ import annotations

from collections.abc import Sequence

import zstandard
from clickhouse_connect.driver.client import Client

# Rows of a newer version must not lose fields in silence; a missing value must not become a default one.
_SETTINGS = {
    "input_format_skip_unknown_fields": 0,
    "input_format_null_as_default": 0,
    "date_time_input_format": "best_effort",
    "max_partitions_per_insert_block": 0,
    "async_insert": 0,
}
_COMPRESS_FROM_BYTES = 32 * 1024


def insert_rows(client: Client, table: str, rows: Sequence[bytes]) -> None:
    """Returns once the store has acknowledged all rows, each one JSON object.

    Raises: clickhouse_connect's errors; what was written by then is unknown, and writing it again is harmless.
    Cost: about 20 ms, then 5 µs per row.
    """
    body = b"\n".join(rows)
    compression = None
    if len(body) >= _COMPRESS_FROM_BYTES:
        body, compression = zstandard.ZstdCompressor(level=1).compress(body), "zstd"
    client.raw_insert(table, insert_block=body, settings=_SETTINGS, fmt="JSONEachRow", compression=compression)
