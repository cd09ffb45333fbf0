"""HL7's times (`20210817151943.4+0200`) as instants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.errors import InvalidEvent
from streams.gateway.connectors.hl7v2.er7 import Segment
from streams.gateway.connectors.hl7v2.options import Hl7v2Options
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.mapping import TimeRef
from streams.gateway.log_import.times import TimeReader

_TIME = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4})?", re.ASCII
)
Place = tuple[Segment, int]


class Times:
    """Reads the times of one message. Its local times are on the clock of `zone`; without that, of MSH-7's offset."""

    def __init__(self, header: Segment, options: Hl7v2Options) -> None:
        spec = TimeRef(zone=options.zone, ambiguous=options.ambiguous, nonexistent=options.nonexistent)
        self._reader = TimeReader(spec, Counter())
        self._offset = "" if options.zone else _offset(header.raw(7))

    def first(self, places: Sequence[Place]) -> datetime:
        """The first of these fields that tells at least the minute.

        Raises: InvalidEvent: missing_field (all are empty), coarse_time (none tells the minute), bad_time,
            time_without_zone, time_out_of_range, ambiguous_local_time, nonexistent_local_time.
        """
        coarse = ""
        for segment, number in places:
            path = f"{segment.name}-{number}"
            text = segment.value(number)
            match = _TIME.fullmatch(text)
            if text and match is None:
                raise InvalidEvent("bad_time", path)
            if match is not None and match[5]:
                return self._instant(match, path)
            coarse = coarse or (path if text else "")
        if coarse:
            raise InvalidEvent("coarse_time", coarse)
        raise InvalidEvent("missing_field", f"{places[0][0].name}-{places[0][1]}")

    def _instant(self, match: re.Match[str], path: str) -> datetime:
        year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{(fraction or '0').ljust(6, '0')[:6]}"
        try:
            return self._reader.read(text + (offset or self._offset))
        except UnusableRow as unusable:
            raise InvalidEvent(unusable.code, path) from None


def stamp(at: datetime) -> str:
    """An instant as part of an id, `2021-08-17T13:19:43.4Z`: the same however many digits the sender told."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").rstrip(".") + "Z"


def _offset(text: str) -> str:
    match = _TIME.fullmatch(text.strip())
    return match[8] or "" if match else ""
