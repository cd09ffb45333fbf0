"""Log import: XES, CSV and NDJSON event logs become Tieline events, as a mapping file says."""

from streams.gateway.log_import.counts import ImportCounts
from streams.gateway.log_import.errors import LogUnreadable
from streams.gateway.log_import.event_bytes import Mapped
from streams.gateway.log_import.log_import import LogImport
from streams.gateway.log_import.mapping import Mapping
from streams.gateway.log_import.mapping_file import parse_mapping, read_mapping
from streams.gateway.log_import.row import Skipped

__all__ = [
    "ImportCounts",
    "LogImport",
    "LogUnreadable",
    "Mapped",
    "Mapping",
    "Skipped",
    "parse_mapping",
    "read_mapping",
]
