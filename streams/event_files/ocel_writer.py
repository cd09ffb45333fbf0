"""Writing an object-centric log (OCEL 2.0, JSON), one work item after the other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from streams.event_files.ocel_event import Json, Thing, event_types, object_json, object_types, shown

_EVERYWHERE = ("role", "actor")
"""Types of things that are not of one work item: they are remembered to the end."""
_COPY_BYTES = 1024 * 1024


@dataclass(slots=True)
class OcelCounts:
    """What was written. `conflicts`: contents left out, because another content of the same event counts."""

    events: int = 0
    objects: int = 0
    conflicts: int = 0


@dataclass(slots=True)
class OcelWriter:
    """Writes one log, item by item; call `finish` at the end.

    Attributes:
        file: what is written.
        objects: an empty file for the objects, which go behind the events at the end.
        with_actors: with the keyed hashes of who acted.
    """

    file: IO[bytes]
    objects: IO[bytes]
    with_actors: bool
    counts: OcelCounts = field(default_factory=OcelCounts)
    _everywhere: dict[str, Thing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file.write(b'{"objectTypes":' + _bytes(object_types(self.with_actors)))
        self.file.write(b',"eventTypes":' + _bytes(event_types()) + b',"events":[\n')

    def item(self, payloads: Sequence[bytes]) -> None:
        """One work item: its events, and what is of it alone."""
        things: dict[str, Thing] = {}
        between: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for payload in payloads:
            event = shown(payload, self.with_actors)
            self.file.write((b",\n" if self.counts.events else b"") + _bytes(event.event))
            self.counts.events += 1
            things.update(event.things)
            for first, second, qualifier in event.between:
                between[first].add((second, qualifier))
        for name in sorted(things):
            if things[name].type in _EVERYWHERE:
                self._everywhere[name] = things[name]
            else:
                self._object(object_json(things[name], between.get(name, ())))

    def finish(self) -> None:
        """Objects behind events, and the end."""
        for name in sorted(self._everywhere):
            self._object(object_json(self._everywhere[name]))
        self.file.write(b'\n],"objects":[\n')
        self.objects.seek(0)
        while piece := self.objects.read(_COPY_BYTES):
            self.file.write(piece)
        self.file.write(b"\n]}\n")

    def _object(self, found: Json) -> None:
        self.objects.write((b",\n" if self.counts.objects else b"") + _bytes(found))
        self.counts.objects += 1


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
