"""Whether every partition is being read: committed offsets beside what there is to read, watched as it runs."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from deploy.composition.drain import INFER_GROUP, Offsets, committed, end_offsets
from schemas import topics
from schemas.errors import TransientError

EVERY_S = 0.5


class Owners:
    """Watches `infer`'s group on a real Kafka while entered.

    A partition has no owner, for us, while records wait in it and its committed offset does not move: stricter than
    the group's own view, in which an owner may be assigned that restores, or does nothing. A checkpoint's interval
    (2 s) and the time between two looks are part of what is found.

    Attributes:
        longest_s: the longest time that any partition stood still.
        where: that partition.
        pause_s: the longest time between two looks, by which `longest_s` may be too long: a busy machine looks seldom.
    """

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._moved_s: dict[tuple[str, int], float] = {}
        self._last: Offsets = {}
        self.longest_s, self.where, self.pause_s = 0.0, -1, 0.0

    def __enter__(self) -> Owners:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._leaving.set()
        self._thread.join(60)

    def _run(self) -> None:
        looked_s = time.monotonic()
        while not self._leaving.wait(EVERY_S):
            with suppress(TransientError):
                # Ends first: what is committed after them cannot be mistaken for standing still.
                ends = end_offsets(self._broker, [topics.EVENTS])
                reached, now_s = committed(self._broker, INFER_GROUP), time.monotonic()
                self._look(ends, reached, now_s)
                self.pause_s, looked_s = max(self.pause_s, now_s - looked_s), now_s

    def _look(self, ends: Offsets, reached: Offsets, now_s: float) -> None:
        for place, end in ends.items():
            offset = reached.get(place, 0)
            if offset >= end or offset != self._last.get(place):
                self._moved_s[place] = now_s
            stood_s = now_s - self._moved_s.setdefault(place, now_s)
            if stood_s > self.longest_s:
                self.longest_s, self.where = stood_s, place[1]
        self._last = reached
