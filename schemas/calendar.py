"""When a role can be expected to act: business hours on a local clock, without holidays."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_serializer,
    model_validator,
)

_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"

Shift = Annotated[str, StringConstraints(pattern=rf"^{_CLOCK}-({_CLOCK}|24:00)$")]
"""`HH:MM-HH:MM` on the local clock, half-open, within one day; `24:00` ends with the day."""


def shift_minutes(shift: str) -> tuple[int, int]:
    """Start and end of a valid `Shift` in minutes after local midnight, 0 to 1440."""
    opens, closes = shift.split("-")
    return int(opens[:2]) * 60 + int(opens[3:]), int(closes[:2]) * 60 + int(closes[3:])


def _in_order(shifts: tuple[str, ...]) -> tuple[str, ...]:
    ordered = sorted(shifts, key=shift_minutes)
    for shift in ordered:
        opens, closes = shift_minutes(shift)
        if opens >= closes:
            raise ValueError(f"{shift} does not end after it starts; write a shift over midnight as two")
    for earlier, later in pairwise(ordered):
        if shift_minutes(later)[0] < shift_minutes(earlier)[1]:
            raise ValueError(f"{earlier} and {later} overlap")
    return tuple(ordered)


def _known_zone(name: str) -> str:
    # `localtime` is a file of the machine in some installations: rows would depend on where they were made.
    if name == "localtime":
        raise ValueError("localtime is not an IANA time zone")
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone") from None
    return name


def _as_date(given: object) -> object:
    return date.fromisoformat(given) if isinstance(given, str) else given


Day = Annotated[tuple[Shift, ...], Field(strict=False), AfterValidator(_in_order)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Holiday = Annotated[date, BeforeValidator(_as_date)]


class Hours(BaseModel):
    """Open shifts per weekday, in order; a weekday left out is closed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    mon: Day = ()
    tue: Day = ()
    wed: Day = ()
    thu: Day = ()
    fri: Day = ()
    sat: Day = ()
    sun: Day = ()

    def week(self) -> tuple[tuple[str, ...], ...]:
        """The seven days, Monday first, as `date.weekday()` counts them."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class Calendar(BaseModel):
    """Business hours of a role. Open around the clock is no calendar: `None`.

    Attributes:
        zone: IANA name of the clock that the hours are read on.
        hours: shifts per weekday (`mon` to `sun`), each `HH:MM-HH:MM`, not overlapping. A shift over midnight is
            two: `fri: ["22:00-24:00"]` and `sat: ["00:00-06:00"]`. What that means when clocks change is defined in
            `streams.inference.calendar`.
        holidays: local dates that are closed all day, the morning end of a night shift included.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    zone: Zone
    hours: Hours
    holidays: Annotated[frozenset[Holiday], Field(strict=False)] = frozenset()

    @model_validator(mode="after")
    def _opens_at_all(self) -> Self:
        if not any(self.hours.week()):
            raise ValueError("a calendar needs at least one open shift: nothing would ever be due")
        return self

    @field_serializer("holidays")
    def _sorted(self, holidays: frozenset[date]) -> list[date]:
        # The order of a set changes from process to process; a policy's content hash must not.
        return sorted(holidays)
