"""What an error of the store means for the caller: wait, or look at the rows."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse_connect.driver.exceptions import Error

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
    def refuses_account(self) -> bool:
        return self.code in _ACCOUNT_CODES


def fault_of(error: Exception) -> Fault:
    """The label holds no text of the store's message: that may quote a row."""
    code = error.code if isinstance(error, Error) else None
    if code is None:
        return Fault(0, "no answer")
    return Fault(code, _ROW_CODES.get(code, f"error {code}"))
