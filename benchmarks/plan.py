"""How much is measured: a full run, or a quick one that only shows that everything works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of a run.

    Attributes:
        weeks: of the simulated scenario, about 2,800 events each.
        runs: repetitions of each figure.
        rate: events per second of the latency run.
        handoffs: in the store that panels are asked over; two and a half times as many rows of evidence.
        warm_up_s, live_s: of the latency run; only the latter counts.
        memory_minutes, open_items: of the memory runs; the former with items that open and close, the latter at once.
        at_once: contenders of `frameworks` and `pairs` that run side by side: for machines that are busy anyway.
        say: told what is being done.
    """

    weeks: int = 10
    runs: int = 5
    rate: int = 500
    handoffs: int = 2_000_000
    warm_up_s: float = 10.0
    live_s: float = 60.0
    memory_minutes: float = 3.0
    open_items: int = 20_000
    at_once: int = 1
    say: Callable[[str], None] = lambda _: None

    def repeat(self, what: str) -> Iterator[int]:
        """0, 1, … up to `runs`, each announced."""
        for number in range(self.runs):
            self.say(f"{what}: {number + 1} of {self.runs}")
            yield number


QUICK = Plan(weeks=1, runs=1, handoffs=20_000, warm_up_s=3.0, live_s=5.0, memory_minutes=0.5, open_items=5_000)
