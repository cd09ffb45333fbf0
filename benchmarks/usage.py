"""What a process used, as the operating system counts it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

_MIB = 1024 * 1024


class Usage(NamedTuple):
    """CPU-seconds (user and system, all threads), and the largest resident memory so far."""

    cpu_s: float
    peak_mib: float


def usage(pid: int) -> Usage:
    """Of one process, without its children. Resolution of the CPU time: 10 ms on Linux."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    return Usage(times.user + times.system, _peak_mib(process))


def _peak_mib(process: psutil.Process) -> float:
    """The kernel's high-water mark; where it keeps none, what is resident now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return float(process.memory_info().rss) / _MIB
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else float(process.memory_info().rss) / _MIB


def resident_mib(pids: Iterable[int]) -> float:
    """Memory of several processes together; pages that they share count once (Linux: PSS)."""
    return sum(_proportional(psutil.Process(pid)) for pid in pids) / _MIB


def _proportional(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))
