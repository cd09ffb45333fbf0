"""Who works where and when. Only keyed hashes of these names ever leave the simulation."""

from __future__ import annotations

from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.vocabulary import ActorKind

ED_TO_WARD, INCIDENT = "ed-to-ward", "incident"
WARDS = ("ward-a", "ward-b")
ZONE = ZoneInfo("Europe/Amsterdam")
HOUR_S, DAY_S, WEEK_S = 3600.0, 86400.0, 7 * 86400.0
_SHIFTS = 3


class Person(NamedTuple):
    """Somebody, or something, that acts."""

    name: str
    kind: ActorKind = "human"


EHR, TICKETING = Person("ehr-interface", "system"), Person("ticket-intake", "system")
AUTO_ACCEPT = Person("auto-accept", "bot")
SHARED_LOGIN = Person("shared-terminal", "unknown")

TEAM_SIZES: dict[str, int] = {
    "ed-nurse": 15,
    "ed-physician": 12,
    "bed-manager": 3,  # too few to be shown: every tie of theirs is hidden
    "ward-nurse": 12,  # in each ward
    "ward-physician": 9,  # in each ward
    "cardiology": 8,  # asked so rarely that there is not enough data
    "level-1": 15,
    "level-2": 13,
    "level-3": 10,
    "network": 10,
    "change-desk": 8,
}
_WARD_TEAMS = frozenset({"ward-nurse", "ward-physician"})


def shift_of(at: float) -> int:
    """0 day (7 to 15 h), 1 evening, 2 night, in UTC: teams need not change shifts on the second of local time."""
    return int((at - 7 * HOUR_S) // (8 * HOUR_S)) % _SHIFTS


def on_duty(rng: Random, role: str, site: str, at: float) -> Person:
    """Somebody of a role who works at that time (seconds since 1970). Shifts rotate weekly; a ward has its own team."""
    size = TEAM_SIZES[role]
    first = (shift_of(at) + int(at // WEEK_S)) % _SHIFTS
    number = rng.randrange(first, size, _SHIFTS)
    team = f"{role}@{site}" if role in _WARD_TEAMS else role
    return Person(f"{team}#{number}")
