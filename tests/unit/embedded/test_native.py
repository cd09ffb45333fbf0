"""Native blocks keep their values when they are brought to a newer revision."""

from __future__ import annotations

import struct

import pytest

from deploy.embedded.front.errors import StoreError
from deploy.embedded.front.native import upgraded

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
GO = 54460


def text(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + raw


def block(rows: int, *columns: tuple[str, str, bytes]) -> bytes:
    return bytes([len(columns), rows]) + b"".join(text(name) + text(kind) + data for name, kind, data in columns)


def as_go_reads(rows: int, *columns: tuple[str, str, bytes]) -> bytes:
    body = b"".join(text(name) + text(kind) + b"\x00" + data for name, kind, data in columns)
    return INFO + bytes([len(columns), rows]) + body


def u64(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


LOW_CARDINALITY_VERSION = u64(1)
COLUMNS = [
    ("UInt8", b"\x01\x02"),
    ("Enum8('a (b' = 1, 'c,\\'d' = 2)", b"\x01\x02"),
    ("DateTime64(3, 'UTC')", b"x" * 16),
    ("Decimal(18, 4)", b"x" * 16),
    ("Decimal(38, 4)", b"x" * 32),
    ("FixedString(3)", b"abcdef"),
    ("String", text("a") + text("b" * 300)),
    ("Nullable(UInt32)", b"\x00\x01" + b"x" * 8),
    ("Nullable(String)", b"\x00\x01" + text("a") + text("")),
    ("Array(String)", u64(1, 3) + text("a") + text("b") + text("c")),
    ("Array(Array(UInt16))", u64(2, 2) + u64(1, 2) + b"x" * 4),
    ("Map(String, UInt64)", u64(1, 1) + text("k") + u64(7)),
    ("Tuple(a UInt8, `b c` String)", b"\x01\x02" + text("x") + text("y")),
    ("Nested(a UInt8, b String)", u64(0, 1) + b"\x01" + text("y")),
    ("LowCardinality(String)", LOW_CARDINALITY_VERSION + u64(0x600, 2) + text("") + text("a") + u64(2) + b"\x01\x01"),
    (
        "LowCardinality(Nullable(String))",
        LOW_CARDINALITY_VERSION + u64(0x601, 2) + text("") + text("a") + u64(2) + b"\x01\x00\x01\x00",
    ),
    (
        "Array(LowCardinality(String))",
        LOW_CARDINALITY_VERSION + u64(1, 3) + u64(0x600, 1) + text("") + u64(3) + b"\x00\x00\x00",
    ),
    ("SimpleAggregateFunction(sum, UInt64)", u64(1, 2)),
    ("IntervalDay", u64(1, 2)),
    ("Point", u64(1, 2, 3, 4)),
]


@pytest.mark.parametrize(("kind", "data"), COLUMNS)
def test_values_of_every_type_stay_between_new_marks(kind: str, data: bytes) -> None:
    columns = (("first", kind, data), ("last", "UInt8", b"\x08\x09"))
    assert upgraded(block(2, *columns), GO) == as_go_reads(2, *columns)


def test_several_blocks_are_told_apart() -> None:
    one, two = ("a", "String", text("x")), ("a", "String", text("y") + text("z"))
    assert upgraded(block(1, one) + block(2, two), GO) == as_go_reads(1, one) + as_go_reads(2, two)


def test_blocks_without_rows_have_no_values() -> None:
    assert upgraded(block(0, ("a", "LowCardinality(String)", b"")), GO) == as_go_reads(
        0, ("a", "LowCardinality(String)", b"")
    )


def test_older_revisions_get_the_block_info_only_or_nothing() -> None:
    plain = block(1, ("a", "UInt8", b"\x01"))
    assert upgraded(plain, 54405) == INFO + plain
    assert upgraded(plain, 0) == plain
    assert upgraded(b"", GO) == b""


@pytest.mark.parametrize("kind", ["JSON", "Dynamic", "Variant(String, UInt8)", "AggregateFunction(sum, UInt64)"])
def test_types_without_a_fixed_layout_are_refused(kind: str) -> None:
    with pytest.raises(StoreError) as refused:
        upgraded(block(1, ("a", kind, b"\x00" * 40)), GO)
    assert refused.value.code == 48
