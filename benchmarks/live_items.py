"""Work items that open and close at a steady rate on the real clock: bytes made from templates, about 2 µs each.

Half are encounters with an explicit handoff, a question and its answer; half are tickets whose owners change. Eight
events each, over twenty seconds. Where an item is to stay open, only its first events are sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import yaml

from benchmarks.load import ACTOR_KEY, POLICY
from schemas.decoding import decode

TICK_S = 0.1
LASTS_S = 20
HORIZON_S = 20
"""Settling, linger and every target of the policy of these runs, in seconds: an item leaves memory soon."""
_ACTORS = [ACTOR_KEY.hash_actor(f"person {number}").encode() for number in range(500)]
_ANYBODY = f"{ACTOR_KEY.key_id}:{0:032x}"
_SUBJECT, _TIME, _DUE = "#subject", datetime(2001, 1, 1, 1, 1, 1, 1, UTC), datetime(2002, 2, 2, 2, 2, 2, 1, UTC)


class Step(NamedTuple):
    """One event of a kind of item: `after_s` its first, `due_s` after itself if it has a due time."""

    after_s: float
    noun_verb: str
    source: str
    data: dict[str, Any]
    due_s: float = 0.0


_ELEMENTS = {"background": True, "medications": True, "pending-results": False, "situation": True}
_QUESTION = {"message_id": "m1", "role": "ward-nurse", "to_roles": ["ed-nurse"], "expects_reply": True}
_ANSWER = {"message_id": "m2", "in_reply_to": "m1", "role": "ed-nurse", "to_roles": ["ward-nurse"]}
_OFFER = {"handoff_id": "h1", "from_role": "ed-nurse", "to_role": "ward-nurse", "urgency": "urgent"}
ENCOUNTER = (
    Step(0, "work_item.opened", "/sim/ehr", {}),
    Step(1, "handoff.offered", "/sim/ehr", {**_OFFER, "elements": _ELEMENTS}, due_s=10.0),
    Step(3, "communication.sent", "/sim/paging", _QUESTION),
    Step(6, "communication.sent", "/sim/paging", _ANSWER),
    Step(8, "handoff.accepted", "/sim/ehr", {"handoff_id": "h1", "role": "ward-nurse"}),
    Step(10, "handoff.read_back", "/sim/ehr", {"handoff_id": "h1", "role": "ward-nurse", "matches": True}),
    Step(14, "work_item.worked", "/sim/ehr", {"role": "ward-nurse"}),
    Step(20, "work_item.closed", "/sim/ehr", {}),
)
TICKET = (
    Step(0, "work_item.opened", "/sim/tickets", {}),
    Step(1, "work_item.assigned", "/sim/tickets", {"role": "level-1"}),
    Step(3, "work_item.worked", "/sim/tickets", {"role": "level-1"}),
    Step(6, "work_item.assigned", "/sim/tickets", {"role": "level-2"}),
    Step(9, "work_item.worked", "/sim/tickets", {"role": "level-2"}),
    Step(12, "work_item.paused", "/sim/tickets", {"role": "level-2", "reason": "awaiting-customer"}),
    Step(15, "work_item.resumed", "/sim/tickets", {"role": "level-2"}),
    Step(20, "work_item.closed", "/sim/tickets", {"role": "level-2"}),
)
EVENTS_OF_ITEM = len(TICKET)


class Template(NamedTuple):
    """One event as bytes with places to fill in."""

    after_ticks: int
    due_s: float
    body: bytes

    def event(self, subject: bytes, at: datetime) -> bytes:
        """Canonical bytes of it, by one of 500 people."""
        actor = _ACTORS[crc32(subject, self.after_ticks) % len(_ACTORS)]
        body = self.body.replace(_SUBJECT.encode(), subject).replace(_ANYBODY.encode(), actor)
        body = body.replace(_iso(_TIME), _iso(at))
        return body.replace(_iso(_DUE), _iso(at + timedelta(seconds=self.due_s))) if self.due_s else body


class Kind(NamedTuple):
    """One kind of work item."""

    process: str
    templates: tuple[Template, ...]

    def first(self, events: int) -> Kind:
        """Items that stop after so many events, and stay open."""
        return self._replace(templates=self.templates[:events])


class Due(NamedTuple):
    """An event to be sent now."""

    key: bytes
    value: bytes


def kinds(due_s: float = 0.0) -> list[Kind]:
    """The two kinds of item.

    Args:
        due_s: seconds until offers are due, where not those of the table above.
    """
    return [
        Kind(process, tuple(_template(process, number, step, due_s) for number, step in enumerate(steps)))
        for process, steps in (("ed-to-ward", ENCOUNTER), ("incident", TICKET))
    ]


def subject_of(kind: int, tick: int, number: int) -> bytes:
    """Of the item that starts as the `number`th of its kind in a tick."""
    return b"%d-%07d-%03d" % (kind, tick, number)


def steadily(events_per_s: float, ticks: int) -> Iterator[list[Due]]:
    """For each tick (`TICK_S`) the events that are due in it, at the time at which they are asked for.

    Items start in the first `ticks` ticks; it ends when the last has closed.
    """
    made, starts = kinds(), _starts(events_per_s)
    longest = max(template.after_ticks for kind in made for template in kind.templates)
    for tick in range(ticks + longest):
        now, due = datetime.now(UTC), list[Due]()
        for which, kind in enumerate(made):
            for template in kind.templates:
                began = tick - template.after_ticks
                if 0 <= began < ticks:
                    subjects = (subject_of(which, began, number) for number in range(starts(began)))
                    due += [_due(kind, template, subject, now) for subject in subjects]
        yield due


def items_begun(events_per_s: float, ticks: int) -> int:
    """How many work items `steadily` starts."""
    starts = _starts(events_per_s)
    return len(kinds()) * sum(starts(tick) for tick in range(ticks))


def staying_open(numbers: Iterable[int], events: tuple[int, int], due_s: float) -> Iterator[Due]:
    """Items of both kinds in turn that have had their first `events` and wait for more; begun seconds ago."""
    made = [kind.first(number) for kind, number in zip(kinds(due_s), events, strict=True)]
    for number in numbers:
        which, at = number % len(made), datetime.now(UTC) - timedelta(seconds=10)
        subject = subject_of(which, number // 1000, number % 1000)
        for later, template in enumerate(made[which].templates):
            yield _due(made[which], template, subject, at + timedelta(seconds=later))


def quick_policy(path: Path) -> Path:
    """The policy of the demonstration with every horizon at `HORIZON_S`."""
    document = yaml.safe_load(POLICY.read_text())
    for process in document["processes"].values():
        targets = {name: {"default": HORIZON_S} for name in process["targets"]}
        process.update(settle_s=HORIZON_S, linger_s=HORIZON_S, targets=targets)
        if "pauses" in process:
            process["pauses"]["max_s"] = HORIZON_S
    path.write_text(yaml.safe_dump(document))
    return path


def _starts(events_per_s: float) -> Callable[[int], int]:
    """How many items of each kind start in tick n, so that the rate is kept on average."""
    per_tick = events_per_s * TICK_S / EVENTS_OF_ITEM / 2
    return lambda tick: int((tick + 1) * per_tick) - int(tick * per_tick)


def _due(kind: Kind, template: Template, subject: bytes, at: datetime) -> Due:
    return Due(kind.process.encode() + b"/" + subject, template.event(subject, at))


def _template(process: str, number: int, step: Step, due_s: float) -> Template:
    data = {"actor": {"id": _ANYBODY, "kind": "human"}, **step.data}
    if step.due_s:
        data["due_at"] = _DUE.isoformat()
    raw = {
        "specversion": "1.0",
        "id": f"{_SUBJECT}.{number}",
        "source": step.source,
        "type": f"tieline.{step.noun_verb}.v1",
        "time": _TIME.isoformat(),
        "subject": _SUBJECT,
        "process": process,
        "site": "ward-a" if process == "ed-to-ward" else "",
        "sequence": number,
        "data": data,
    }
    body = decode(json.dumps(raw).encode()).canonical()
    return Template(round(step.after_s / TICK_S), due_s if step.due_s and due_s else step.due_s, body)


def _iso(at: datetime) -> bytes:
    """As canonical bytes have it; never a whole second, which is written shorter."""
    return at.replace(microsecond=at.microsecond | 1).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
