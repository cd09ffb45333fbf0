"""From the bytes of one work item to its contents. Stored bytes are canonical already, so nothing is encoded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.events import Event, InterventionEnded, InterventionStarted, SurveyScored
from schemas.events.addressees import MAX_ADDRESSEES
from streams.inference.acts import in_order, ref_of
from streams.inference.history import MAX_BYTES, MAX_EVENTS, Contents, counts_as, too_large

_NOT_WORK = frozenset({InterventionStarted, InterventionEnded, SurveyScored})


class Known(NamedTuple):
    """What is known of one work item.

    Attributes:
        contents: as `contents_of` resolves them; what an oversize item holds is of no use to anybody.
        distinct: contents, conflicting ones of one identity included: what `revision` counts.
        unusable: payloads that are no events, by reason. They are left out.
    """

    contents: Contents
    distinct: int
    oversize: bool
    unusable: Counter[str]


def known(payloads: Iterable[bytes]) -> Known:
    """The contents of canonical payloads, in any order and with any repeats. Cost: nearly all of it is decoding."""
    winners: dict[str, Event] = {}
    losers: dict[bytes, Event] = {}
    unusable: Counter[str] = Counter()
    size = 0
    for payload in set(payloads):
        size += len(payload)
        try:
            event = decode(payload)
        except InvalidEvent as error:
            unusable[error.code] += 1
            continue
        if type(event) in _NOT_WORK:
            continue
        ref = ref_of(event)
        held = winners.setdefault(ref, event)
        if held is not event:
            _resolve(ref, held, event, winners, losers)
    distinct = len(winners) + len(losers)
    contents = Contents(in_order(winners.values()), tuple([losers[content] for content in sorted(losers)]))
    return Known(contents, distinct, _oversize([*winners.values(), *losers.values()], size), unusable)


def _oversize(events: Sequence[Event], size: int) -> bool:
    """As a `History` finds it; `size` are the bytes that came, which need not be canonical."""
    counted = sum(map(counts_as, events)) if len(events) > MAX_EVENTS // MAX_ADDRESSEES else 0
    canonical = sum(len(event.canonical()) for event in events) if size > MAX_BYTES // 4 else 0
    return too_large(counted, canonical)


def _resolve(ref: str, held: Event, event: Event, winners: dict[str, Event], losers: dict[bytes, Event]) -> None:
    """The smaller canonical bytes win; two ways to write one content are one content."""
    kept, other = held.canonical(), event.canonical()
    if other < kept:
        winners[ref] = event
        losers[kept] = held
    elif other > kept:
        losers[other] = event
