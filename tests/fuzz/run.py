"""Giving a target many inputs, and what was found."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from schemas.errors import InvalidEvent
from tests.fuzz.mutations import Mutator
from tests.fuzz.target import Target

HANG_S = 5.0
_TRIES = 3
_MAX_FINDINGS = 10


class Hang(Exception):  # noqa: N818 - the word for it
    """An input took so long that it was given up on."""


@dataclass
class Report:
    """What a run saw.

    Attributes:
        understood: inputs that were read without an error.
        slowest_ms: processor time of the slowest input.
        grown_mib: by how much the process's memory has grown.
        findings: number of the input (-1: a seed) and what it did.
    """

    inputs: int = 0
    understood: int = 0
    slowest_ms: float = 0.0
    grown_mib: float = 0.0
    findings: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{self.inputs} inputs, {self.understood} understood, slowest {self.slowest_ms:.1f} ms"
        lines = [f"{head}, memory +{self.grown_mib:.0f} MiB, {len(self.findings)} findings"]
        return "\n".join([*lines, *(f"  input {number}: {what}" for number, what in self.findings)])


def fuzz(target: Target, inputs: int, first: int = 0) -> Report:
    """Give a target its seeds and then `inputs` inputs, beginning with the number `first`; stops after ten findings."""
    seeds, report = list(target.seeds()), Report()
    mutator = Mutator(seeds, target.tokens, target.max_bytes)
    for seed in seeds:
        _try(target, -1, seed, report)
    before = _memory_mib()
    for number in range(first, first + inputs):
        _try(target, number, mutator.made(number), report)
        report.inputs += 1
        if len(report.findings) >= _MAX_FINDINGS:
            break
    report.grown_mib = _memory_mib() - before
    return report


def _try(target: Target, number: int, data: bytes, report: Report) -> None:
    try:
        took_ms = _timed(target, data, report)
        # Something else on the machine may have been slow: only what is slow every time is.
        for _ in range(_TRIES - 1):
            if took_ms > target.limit_ms:
                took_ms = min(took_ms, _timed(target, data, Report()))
    except Exception as error:
        report.findings.append((number, f"{type(error).__name__}: {str(error)[:200]}"))
        return
    report.slowest_ms = max(report.slowest_ms, took_ms)
    if took_ms > target.limit_ms:
        report.findings.append((number, f"took {took_ms:.0f} ms for {len(data)} bytes"))


def _timed(target: Target, data: bytes, report: Report) -> float:
    with _no_hang():
        began = time.process_time()
        with suppress(InvalidEvent):
            target.run(data)
            report.understood += 1
        return (time.process_time() - began) * 1000


@contextmanager
def _no_hang() -> Iterator[None]:
    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"more than {HANG_S:.0f} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _memory_mib() -> float:
    """The most that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
