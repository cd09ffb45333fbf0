"""`python -m deploy.embedded.run_with_parent PROGRAM ARGS…`: a program that ends with the supervisor.

On Linux this process asks the kernel to be killed at its parent's end and becomes the program: the request outlives
exec. Elsewhere it stays, watches the pipe on its standard input, and ends the program itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from deploy.embedded.parent import PARENT_VARIABLE, request_death_signal, watch_parent


def main(command: list[str]) -> int:
    if not command:
        print("usage: run_with_parent PROGRAM [ARGUMENTS]", file=sys.stderr)
        return 64
    if sys.platform == "linux":
        return _become(command)
    return _stay(command)


def _become(command: list[str]) -> int:
    request_death_signal(signal.SIGKILL)
    expected = os.environ.get(PARENT_VARIABLE, "")
    if expected.isdigit() and os.getppid() != int(expected):
        return 1
    return os.execv(command[0], command)  # does not return


def _stay(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    watch_parent(child.kill, grace_s=2.0)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
