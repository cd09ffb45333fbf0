"""Ending with the parent: a child must not outlive the supervisor that started it, not even one that was killed.

On Linux the kernel sends SIGTERM when the parent thread dies. Everywhere else a child notices that the pipe which the
parent holds on its standard input has closed. Both are used; a process that was not started by the supervisor (no
`TIELINE_PARENT` in its environment) watches nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

PARENT_VARIABLE = "TIELINE_PARENT"
_PR_SET_PDEATHSIG = 1


def watch_parent(on_gone: Callable[[], None] | None = None, grace_s: float = 10.0) -> bool:
    """Call `on_gone` once when the supervisor is gone, and end this process `grace_s` later whatever it does.

    Without `on_gone` the process gets SIGTERM. To be called early, from the main thread.

    Returns: whether there is a supervisor to watch.
    """
    expected = os.environ.get(PARENT_VARIABLE, "")
    if not expected.isdigit():
        return False
    request_death_signal(signal.SIGTERM)
    if os.getppid() != int(expected):
        os._exit(1)  # it died before we could ask to be told
    call = on_gone or (lambda: os.kill(os.getpid(), signal.SIGTERM))
    threading.Thread(target=_wait_for_end_of_input, args=(call, grace_s), name="parent-watch", daemon=True).start()
    return True


def request_death_signal(number: int) -> None:
    """Linux: have the kernel send `number` to this process when its parent ends. Elsewhere: nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _wait_for_end_of_input(call: Callable[[], None], grace_s: float) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        return  # no standard input to watch: the kernel's signal is all there is
    call()
    threading.Event().wait(grace_s)
    os._exit(1)
