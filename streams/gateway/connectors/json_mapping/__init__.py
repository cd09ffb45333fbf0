"""The generic connector: JSON payloads become drafts as a mapping file says."""

from streams.gateway.connectors.json_mapping.findings import EntryFindings
from streams.gateway.connectors.json_mapping.json_mapping import JsonMapping
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.connectors.json_mapping.mapping_file import parse_payload_mapping, read_payload_mapping
from streams.gateway.connectors.json_mapping.options import JsonOptions
from streams.gateway.connectors.json_mapping.reader import PayloadReader

__all__ = [
    "EntryFindings",
    "JsonMapping",
    "JsonOptions",
    "PayloadMapping",
    "PayloadReader",
    "parse_payload_mapping",
    "read_payload_mapping",
]
