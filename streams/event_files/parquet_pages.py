"""How large the pages of a Parquet column become, before any of them is unpacked.

A page of 64 KiB may unpack to 2 GiB, and no reader asks first. Each page has a header of its own, in Thrift's compact
protocol, with both sizes; unpacking more than it says is an error of the page. So the headers alone bound the memory.

Source: Apache Parquet format, `PageHeader` in parquet.thrift; Thrift compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

DATA_PAGES = (0, 3)
PLAIN = 0
_HEADER_BYTES = 16 * 1024
_MOST_DEPTH = 8
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_INTEGERS = (_I16, _I32, _I64)
_TYPE, _UNPACKED, _PACKED, _DATA, _DATA_V2 = 1, 2, 3, 5, 8
_ENCODING = {_DATA: 2, _DATA_V2: 4}


class Page(NamedTuple):
    """Sizes in bytes. `encoding` is Parquet's number; -1: not a page of data."""

    kind: int
    unpacked: int
    packed: int
    encoding: int


def pages(file: BinaryIO, start: int, size: int) -> Iterator[Page]:
    """The pages of a column chunk of `size` bytes that begins at `start`; moves the file's position.

    Raises: ValueError: no such pages.
    """
    at, end = start, start + size
    while at < end:
        file.seek(at)
        reader = _Compact(file.read(_HEADER_BYTES))
        page = reader.page()
        if page.packed < 0 or page.unpacked < 0:
            raise ValueError("a page of negative size")
        yield page
        at += reader.at + page.packed
    if at != end:
        raise ValueError("a page that is longer than its column")


class _Compact:
    """Just enough of the compact protocol to find the numbers of a page header."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def page(self) -> Page:
        found = {_TYPE: -1, _UNPACKED: -1, _PACKED: -1}
        encoding = -1
        for number, kind in self._fields():
            if number in found and kind in _INTEGERS:
                found[number] = self._signed()
            elif number in _ENCODING and kind == _STRUCT:
                encoding = self._encoding(_ENCODING[number])
            else:
                self._skip(kind, 0)
        return Page(found[_TYPE], found[_UNPACKED], found[_PACKED], encoding)

    def _encoding(self, field: int) -> int:
        found = -1
        for number, kind in self._fields():
            if number == field and kind in _INTEGERS:
                found = self._signed()
            else:
                self._skip(kind, 1)
        return found

    def _fields(self) -> Iterator[tuple[int, int]]:
        number = 0
        while (first := self._byte()) != _STOP:
            number = number + (first >> 4) if first >> 4 else self._signed()
            yield number, first & 15

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _MOST_DEPTH:
            raise ValueError("nested too deep")
        if kind in _INTEGERS:
            self._signed()
        elif kind == _BYTE:
            self.at += 1
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            self.at += self._unsigned()
        elif kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth + 1)
        elif kind not in (_TRUE, _FALSE):  # a page header holds neither lists nor maps
            raise ValueError("not a page header")

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise ValueError("a page header without end")
        self.at += 1
        return self._data[self.at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return value
            if shift > 63:
                raise ValueError("a number without end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
