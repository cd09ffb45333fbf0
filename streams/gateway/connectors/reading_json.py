"""Reading somebody else's JSON: any bytes in, known fields or `InvalidEvent` out.

```
payload = read_object(delivery.body)
payload.ident("issue.id")               # required: missing_field, invalid_value
payload.text_or("issue.state")          # optional: absent, null and blank are ""; another type is invalid_value
for item in payload.children("changelog.items"): ...
```
A path is written in the connector, or in its settings, dots between the keys; only such paths, and positions in lists,
get into an error. Nothing of the payload ever does: an unknown key may itself be somebody's name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Never, TypeVar

from schemas.errors import InvalidEvent
from streams.gateway.connectors.reading_times import epoch_time as epoch_time  # also for those who import it from here
from streams.gateway.connectors.reading_times import iso_time as iso_time

MAX_JSON_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_CONTAINERS = 200_000
"""Objects and lists together: what a hostile payload can make of its bytes in memory (about 200 bytes each)."""
MAX_NAME_CHARS = 256
MAX_FREE_TEXT_CHARS = 100_000
"""The policy's word rules read no further."""

_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_UNPLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_Kind = TypeVar("_Kind")


class JsonObject:
    """One object of a payload, and where in the payload it is.

    Attributes:
        raw: the object as plain Python values. Never to be logged.
    """

    __slots__ = ("_path", "raw")

    def __init__(self, raw: Mapping[str, object], path: str = "") -> None:
        self.raw = raw
        self._path = path

    def __repr__(self) -> str:
        return f"JsonObject({self._path!r})"

    def field(self, path: str) -> str:
        """The path from the top of the payload, for an error."""
        return f"{self._path}.{path}" if self._path else path

    def invalid(self, path: str, code: str = "invalid_value") -> InvalidEvent:
        """The error to raise about a field."""
        return InvalidEvent(code, self.field(path))

    def value(self, path: str) -> object:
        """Whatever is there; None where nothing or null is.

        Raises: InvalidEvent: invalid_value: something on the way is no object.
        """
        found: object = self.raw
        keys = path.split(".")
        for depth, key in enumerate(keys):
            if found is None:
                return None
            if not isinstance(found, dict):
                raise self.invalid(".".join(keys[:depth]))
            found = found.get(key)
        return found

    def has(self, path: str) -> bool:
        """Whether something other than null is there."""
        return self.value(path) is not None

    def text(self, path: str) -> str:
        """A name or code: required, without spaces around it, one line, at most 256 characters.

        Raises: InvalidEvent: missing_field (also blank), invalid_value (control characters, lone surrogates, too long).
        """
        return self.text_or(path) or self._missing(path)

    def text_or(self, path: str, default: str = "") -> str:
        """As `text`, but the default where nothing, null or a blank text is."""
        found = self._of_type(path, str)
        return default if found is None else self._plain(path, found) or default

    def ident(self, path: str) -> str:
        """A text, or a whole number as its digits: what systems call an id.

        Raises: InvalidEvent: missing_field, invalid_value.
        """
        return self.ident_or(path) or self._missing(path)

    def ident_or(self, path: str, default: str = "") -> str:
        """As `ident`, but the default where nothing, null or a blank text is."""
        found = self.value(path)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(self.integer(path))
        return self.text_or(path, default)

    def free_text(self, path: str) -> str:
        """What somebody wrote, for `Draft.text` alone; empty if nothing is there. Cut at 100,000 characters."""
        found = self._of_type(path, str)
        return _LONE_SURROGATE.sub("\ufffd", (found or "")[:MAX_FREE_TEXT_CHARS])

    def texts(self, path: str) -> tuple[str, ...]:
        """The texts of an optional list, each as `text`; nulls and blank ones are left out.

        Raises: InvalidEvent: invalid_value: no list, or something else in it.
        """
        items = enumerate(self._of_type(path, list) or [])
        found = [
            self._plain(f"{path}.{n}", self._typed(f"{path}.{n}", item, str)) for n, item in items if item is not None
        ]
        return tuple(text for text in found if text)

    def integer(self, path: str) -> int:
        """A whole number within 64 bits.

        Raises: InvalidEvent: missing_field, invalid_value.
        """
        found = self._of_type(path, int)
        if found is None:
            self._missing(path)
        if not -(2**63) <= found < 2**63:
            raise self.invalid(path)
        return found

    def integer_or(self, path: str, default: int = 0) -> int:
        """As `integer`, but the default where nothing or null is."""
        return self.integer(path) if self.has(path) else default

    def flag(self, path: str, default: bool = False) -> bool:
        """True or false; the default where nothing or null is."""
        found = self._of_type(path, bool)
        return default if found is None else found

    def time(self, path: str, naive: tzinfo | None = None) -> datetime:
        """An ISO 8601 time, in UTC. `naive` is the zone of times that name none; without it they are refused.

        Raises: InvalidEvent: missing_field, invalid_value (no text), bad_time (none, no zone, outside 1970..2200).
        """
        return self.time_or(path, naive) or self._missing(path)

    def time_or(self, path: str, naive: tzinfo | None = None) -> datetime | None:
        """As `time`, but None where nothing, null or a blank text is."""
        text = self.text_or(path)
        return iso_time(text, self.field(path), naive) if text else None

    def epoch_ms(self, path: str) -> datetime:
        """Whole milliseconds since 1970, as a number or as digits, in UTC.

        Raises: InvalidEvent: missing_field, bad_time.
        """
        return self.epoch_ms_or(path) or self._missing(path)

    def epoch_ms_or(self, path: str) -> datetime | None:
        """As `epoch_ms`, but None where nothing or null is."""
        text = self.ident_or(path)
        return epoch_time(text, self.field(path), timedelta(milliseconds=1)) if text else None

    def epoch_s(self, path: str) -> datetime:
        """Whole seconds since 1970, as a number or as digits, in UTC.

        Raises: InvalidEvent: missing_field, bad_time.
        """
        return self.epoch_s_or(path) or self._missing(path)

    def epoch_s_or(self, path: str) -> datetime | None:
        """As `epoch_s`, but None where nothing or null is."""
        text = self.ident_or(path)
        return epoch_time(text, self.field(path), timedelta(seconds=1)) if text else None

    def child(self, path: str) -> JsonObject:
        """An object that must be there.

        Raises: InvalidEvent: missing_field, invalid_value.
        """
        return self.child_or(path) or self._missing(path)

    def child_or(self, path: str) -> JsonObject | None:
        """An object, or None where nothing or null is."""
        found = self._of_type(path, dict)
        return None if found is None else JsonObject(found, self.field(path))

    def children(self, path: str) -> tuple[JsonObject, ...]:
        """The objects of an optional list; nulls in it are left out.

        Raises: InvalidEvent: invalid_value: no list, or something else in it.
        """
        items = enumerate(self._of_type(path, list) or [])
        return tuple(
            JsonObject(self._typed(f"{path}.{n}", item, dict), self.field(f"{path}.{n}"))
            for n, item in items
            if item is not None
        )

    def _of_type(self, path: str, kind: type[_Kind]) -> _Kind | None:
        found = self.value(path)
        return None if found is None else self._typed(path, found, kind)

    def _typed(self, path: str, found: object, kind: type[_Kind]) -> _Kind:
        # true and false are whole numbers to Python, and to nobody else.
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise self.invalid(path)
        return found

    def _plain(self, path: str, text: str) -> str:
        text = text.strip()
        if len(text) > MAX_NAME_CHARS or _UNPLAIN.search(text):
            raise self.invalid(path)
        return text

    def _missing(self, path: str) -> Never:
        raise self.invalid(path, "missing_field")


def read_object(body: bytes, max_bytes: int = MAX_JSON_BYTES) -> JsonObject:
    """The object that a payload is.

    Raises: InvalidEvent: too_large (bytes, or objects and lists), too_deep (more than 64 levels), not_json (also NaN,
        infinite or endless numbers, not UTF-8), duplicate_key, not_object.
    Cost: linear; 0.4 ms for 30 KB, mostly the parser's.
    """
    found = read_value(body, max_bytes)
    if not isinstance(found, dict):
        raise InvalidEvent("not_object")
    return JsonObject(found)


def read_value(body: bytes, max_bytes: int = MAX_JSON_BYTES) -> object:
    """Any JSON value, as plain Python. Raises: as `read_object`, without not_object."""
    if len(body) > max_bytes:
        raise InvalidEvent("too_large")
    _check_shape(body)
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        # Without `from None` a logged traceback would show the parser's error, and with it the payload.
        raise InvalidEvent("not_json") from None


def _check_shape(body: bytes) -> None:
    """Depth and number of containers, before the parser spends stack and memory on them."""
    # Outside of strings valid JSON has no backslash, so without escapes every second piece between quotes is structure.
    pieces = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    brackets = b"".join(pieces[::2]).translate(None, _NOT_BRACKETS)
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise InvalidEvent("too_large")
    if max(accumulate(1 if byte in b"[{" else -1 for byte in brackets), default=0) > MAX_DEPTH:
        raise InvalidEvent("too_deep")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Two readers of the same bytes would disagree about which one counts.
        raise InvalidEvent("duplicate_key")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


def _refuse_constant(_: str) -> Never:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant)
