"""Native blocks in the newer form that clickhouse-go asks for.

A server writes Native for the revision in `client_protocol_version`; chDB knows revision 0 only. From 51903 on a block
starts with its info, and from 54454 on every column says after its type whether its serialization is a custom one.
So the length of every column has to be known: this file measures them without decoding values.
"""

from __future__ import annotations

import re
import struct

from deploy.embedded.front.errors import NOT_IMPLEMENTED, StoreError

BLOCK_INFO_FROM = 51903
CUSTOM_SERIALIZATION_FROM = 54454
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_WIDTHS = {
    "Int8": 1, "UInt8": 1, "Bool": 1, "Int16": 2, "UInt16": 2, "Date": 2, "Int32": 4, "UInt32": 4, "Float32": 4,
    "Date32": 4, "DateTime": 4, "IPv4": 4, "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Int128": 16,
    "UInt128": 16, "UUID": 16, "IPv6": 16, "Int256": 32, "UInt256": 32, "Enum8": 1, "Enum16": 2, "Nothing": 1,
    "BFloat16": 2, "Time": 4, "Time64": 8, "Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
}  # fmt: skip
_KEY_WIDTHS = (1, 2, 4, 8)
_NAMED = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]+`) (?=[A-Z])")


def upgraded(blocks: bytes, revision: int) -> bytes:
    """The same blocks as a server would write them for `revision`.

    Raises: StoreError (NOT_IMPLEMENTED): a column type without fixed layout (JSON, Dynamic, Variant, aggregate states).
    """
    if revision < BLOCK_INFO_FROM or not blocks:
        return blocks
    out = bytearray()
    position = 0
    while position < len(blocks):
        out += _BLOCK_INFO
        position = _block(blocks, position, out, revision >= CUSTOM_SERIALIZATION_FROM)
    return bytes(out)


def _block(data: bytes, position: int, out: bytearray, custom: bool) -> int:
    start = position
    columns, position = _varint(data, position)
    rows, position = _varint(data, position)
    out += data[start:position]
    for _ in range(columns):
        start = position
        _, position = _string(data, position)
        kind, position = _string(data, position)
        out += data[start:position]
        if custom:
            out += b"\x00"
        start = position
        if rows:
            position = _body(data, _prefix(data, position, kind), kind, rows)
        out += data[start:position]
    return position


def _prefix(data: bytes, position: int, kind: str) -> int:
    """Serialization versions that stand before all values: one per LowCardinality, however deep."""
    name, arguments = _split(kind)
    if name == "LowCardinality":
        return position + 8
    if name in ("Array", "Nullable", "Map", "Tuple", "Nested", "SimpleAggregateFunction"):
        inner = arguments[1:] if name == "SimpleAggregateFunction" else arguments
        for argument in inner:
            position = _prefix(data, position, _unnamed(argument))
    return position


def _body(data: bytes, position: int, kind: str, rows: int) -> int:
    """Where the values of `rows` rows end."""
    name, arguments = _split(kind)
    if name in _WIDTHS:
        return position + _WIDTHS[name] * rows
    if name == "String":
        return _strings(data, position, rows)
    if name == "FixedString":
        return position + int(arguments[0]) * rows
    if name == "Decimal":
        digits = int(arguments[0])
        return position + (4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32) * rows
    if name.startswith("Interval"):
        return position + 8 * rows
    if name == "Nullable":
        return _body(data, position + rows, arguments[0], rows)
    if name in ("Array", "Map", "Nested"):
        return _nested(data, position, arguments, rows)
    if name == "Tuple":
        for argument in arguments:
            position = _body(data, position, _unnamed(argument), rows)
        return position if arguments else position + rows
    if name == "LowCardinality":
        return _low_cardinality(data, position, arguments[0])
    if name == "SimpleAggregateFunction":
        return _body(data, position, arguments[1], rows)
    if name in ("Point", "Ring", "LineString", "Polygon", "MultiLineString", "MultiPolygon"):
        return _body(data, position, _GEO[name], rows)
    raise StoreError.refusal(NOT_IMPLEMENTED, f"{name} columns are not written for this client: convert to String")


_GEO = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}


def _nested(data: bytes, position: int, arguments: list[str], rows: int) -> int:
    end = position + 8 * rows
    total: int = struct.unpack_from("<Q", data, end - 8)[0] if rows else 0
    for argument in arguments:
        if total:
            end = _body(data, end, _unnamed(argument), total)
    return end


def _low_cardinality(data: bytes, position: int, inner: str) -> int:
    (flags, keys) = struct.unpack_from("<QQ", data, position)
    name, arguments = _split(inner)
    position = _body(data, position + 16, arguments[0] if name == "Nullable" else inner, keys)
    (rows,) = struct.unpack_from("<Q", data, position)
    return position + 8 + int(rows) * _KEY_WIDTHS[flags & 0xFF]


def _strings(data: bytes, position: int, rows: int) -> int:
    for _ in range(rows):
        size = data[position]
        position += 1
        if size & 0x80:
            size, position = _varint(data, position - 1)
        position += size
    return position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _string(data: bytes, position: int) -> tuple[str, int]:
    size, position = _varint(data, position)
    return data[position : position + size].decode(), position + size


def _split(kind: str) -> tuple[str, list[str]]:
    """`Map(String, Array(UInt8))` → (`Map`, [`String`, `Array(UInt8)`])."""
    name, bracket, rest = kind.partition("(")
    if not bracket or name in _WIDTHS:
        return name, []
    arguments, depth, start, quote = [], 0, 0, ""
    inside = rest[:-1]
    for index, character in enumerate(inside):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'`":
            quote = character
        elif character == "," and not depth:
            arguments.append(inside[start:index].strip())
            start = index + 1
        else:
            depth += (character == "(") - (character == ")")
    last = inside[start:].strip()
    return name, [*arguments, last] if last else arguments


def _unnamed(argument: str) -> str:
    """Elements of named tuples are `name Type`."""
    return _NAMED.sub("", argument, count=1) if _NAMED.match(argument) else argument
