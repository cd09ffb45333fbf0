"""Settings that come with a request: which a read-only user may give, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.front.errors import READONLY, StoreError

_FREE_WORDS = """
    timeout_before_checking_execution_speed result_overflow_mode read_overflow_mode max_rows_to_read
    max_bytes_to_read extremes final join_use_nulls session_timezone date_time_input_format date_time_output_format
    cast_string_to_dynamic_use_inference transform_null_in group_by_use_nulls aggregate_functions_null_for_empty
    union_default_mode output_format_json_quote_denormals output_format_json_quote_64bit_integers
    output_format_json_named_tuples_as_objects output_format_tsv_crlf_end_of_line output_format_write_statistics
    output_format_native_write_json_as_string output_format_arrow_string_as_string
    output_format_arrow_compression_method format_csv_delimiter format_csv_null_representation
    optimize_read_in_order log_comment
"""
_FREE = frozenset(_FREE_WORDS.split())
_TRANSPORT_WORDS = """
    query database user password default_format query_id session_id session_timeout session_check quota_key role
    compress decompress buffer_size wait_end_of_query client_protocol_version enable_http_compression
    http_zlib_compression_level send_progress_in_http_headers http_headers_progress_interval_ms
    cancel_http_readonly_queries_on_client_close http_wait_end_of_query http_response_buffer_size
    http_make_head_request stacktrace close_session progress
"""
TRANSPORT = frozenset(_TRANSPORT_WORDS.split())


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """Ceilings of one read-only query: seconds, rows, bytes, threads."""

    max_execution_time: int = 30
    max_result_rows: int = 1_000_000
    max_result_bytes: int = 128 * 1024 * 1024
    max_memory_usage: int = 384 * 1024 * 1024
    max_threads: int = 2
    max_block_size: int = 65_409

    def ceilings(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


LIMITS = ReaderLimits()


def reader_settings(asked: Mapping[str, str], limits: ReaderLimits = LIMITS) -> dict[str, str]:
    """What a read-only request runs with: its own wishes within the ceilings, and no writing.

    Raises: StoreError (READONLY): a setting that read-only users do not have.
    """
    ceilings = limits.ceilings()
    settings = {name: str(ceiling) for name, ceiling in ceilings.items()}
    for name, value in asked.items():
        if name in ceilings:
            settings[name] = str(_within(value, ceilings[name]))
        elif name in _FREE:
            settings[name] = value
        elif name != "readonly":
            raise _refused(name)
    return settings | {"readonly": "2", "allow_ddl": "0", "allow_introspection_functions": "0"}


def check_query_setting(name: str, value: object, limits: ReaderLimits = LIMITS) -> None:
    """The same for a SETTINGS clause, which cannot be rewritten: beyond a ceiling it is refused."""
    ceiling = limits.ceilings().get(name)
    if ceiling is not None:
        if not isinstance(value, int | float) or not 0 < value <= ceiling:
            raise _refused(name)
    elif name not in _FREE:
        raise _refused(name)


def _within(value: str, ceiling: int) -> int:
    try:
        wished = int(float(value))
    except ValueError:
        return ceiling
    return wished if 0 < wished <= ceiling else ceiling


def _refused(name: str) -> StoreError:
    return StoreError.refusal(READONLY, f"Cannot modify '{name}' setting in readonly mode.")
