"""What an error of the store means for the caller: wait, or look at the rows."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse_connect.driver.exceptions import Error

from schemas.errors import TransientError

# Errors that a row causes by what it holds: no waiting makes it acceptable. Everything else is waited out, even a
# missing table or a revoked grant: somebody repairs that, and until then nothing may be dropped.
_ROW_CODES = {
    6: "cannot_parse_text",
    8: "unknown_field",
    20: "not_a_number",
    25: "cannot_parse_escape",
    26: "cannot_parse_quoted_string",
    27: "cannot_parse_input",
    32: "ends_too_early",
    33: "ends_too_early",
    38: "cannot_parse_date",
    41: "cannot_parse_datetime",
    53: "type_mismatch",
    69: "out_of_bounds",
    70: "cannot_convert_type",
    72: "cannot_parse_number",
    117: "incorrect_data",
    130: "cannot_read_array",
    131: "string_too_large",
    246: "out_of_bounds",
    321: "out_of_bounds",
    349: "null_not_allowed",
    407: "out_of_bounds",
    467: "cannot_parse_bool",
    469: "violated_constraint",
}
_ACCOUNT_CODES = frozenset({192, 193, 194, 497, 516})
_KINDS = {
    0: "no_answer",
    210: "no_answer",
    159: "timeout",
    209: "timeout",
    202: "busy",
    203: "busy",
    252: "busy",
    241: "out_of_memory",
    75: "disk_full",
    243: "disk_full",
    164: "read_only",
    242: "read_only",
    16: "schema",
    47: "schema",
    60: "schema",
    81: "schema",
    **dict.fromkeys(_ACCOUNT_CODES, "account"),
}
KINDS = frozenset({*_KINDS.values(), "other"})
"""What an operator can do something about, each in another way: docs/operating.md."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the store. `code` is ClickHouse's number; 0: it didn't answer."""

    code: int
    label: str

    @property
    def of_a_row(self) -> bool:
        """The rows themselves are refused; the store is well."""
        return self.code in _ROW_CODES

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return _KINDS.get(self.code, "other")

    @property
    def refuses_account(self) -> bool:
        return self.code in _ACCOUNT_CODES


class StoreAway(TransientError):  # noqa: N818 - what happened is the name
    """The store does not do what it is asked, and will be asked again.

    Operator action: by `fault.kind`; see docs/operating.md, "Faults".
    """

    def __init__(self, fault: Fault, retry_after_s: float) -> None:
        super().__init__(f"clickhouse: {fault.label} ({fault.kind})", retry_after_s)
        self.fault = fault


def fault_of(error: Exception) -> Fault:
    """The label holds no text of the store's message: that may quote a row."""
    code = error.code if isinstance(error, Error) else None
    if code is None:
        return Fault(0, "no answer")
    return Fault(code, _ROW_CODES.get(code, f"error {code}"))
