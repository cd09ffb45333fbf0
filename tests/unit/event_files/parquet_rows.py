"""Parquet files as we write them, from payloads that may be anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from streams.event_files.parquet_file import SCHEMA, ParquetWriter


def parquet(path: Path, payloads: Sequence[bytes], together: int = 1_000) -> Path:
    """A file of these payloads; the other columns say nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = ParquetWriter(path)
    for start in range(0, len(payloads), together):
        rows = [
            dict.fromkeys(SCHEMA.names, "x")
            | {"time": datetime(2026, 1, 5, tzinfo=UTC), "sequence": 0, "payload": payload.decode()}
            for payload in payloads[start : start + together]
        ]
        writer.add(pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
    writer.close()
    return path
