"""One replay at a time writes to a run: while it works, it says so again and again in `runs`.

The store has no locks. Whoever takes a run looks right before it writes that down, and once more a moment after: of
several that took it at one time the last one has it, and the others have not written a row by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.errors import TielineError, TransientError
from sinks.clickhouse.patience import patiently
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.runs import find_run, write_run

SAY_EVERY_S = 4.0
GONE_AFTER_S = 12.0
"""Without a word for so long, a replay was killed."""
SETTLED_AFTER_S = 1.0
"""Longer than whoever looked before us takes to write."""
_ASK_EVERY_S = 1.0
_SAID = "SELECT started_at, written_at, now64(6) FROM runs FINAL WHERE run = {run:String} AND NOT is_deleted"


class RunTakenError(TielineError):
    """Somebody else replays under this name right now.

    Operator action: wait for it, or choose another name.
    """


class Lease:
    """The right to write to a run, kept up by a thread of its own until it is closed.

    Args:
        previous: the record that was found under this name, and that this one follows.
    Raises: RunTakenError: there is another one by now.
    """

    def __init__(
        self, client: Client, record: RunRecord, previous: RunRecord | None, say_every_s: float = SAY_EVERY_S
    ) -> None:
        self._client, self._record, self._say_every_s = client, record, say_every_s
        self._closed = threading.Event()
        self._error: TielineError | None = None
        if _begun(find_run(client, record.run)) != _begun(previous):
            raise _taken(record.run)
        write_run(client, record)
        self._settled_at_s = time.monotonic() + SETTLED_AFTER_S
        self._thread = threading.Thread(target=self._keep, name="replay-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises: RunTakenError: somebody else has begun. TransientError: the store is away for too long."""
        if self._error is not None:
            raise self._error

    def settle(self) -> None:
        """Wait until nobody else can have taken the run without being seen. Before the first row is written or deleted.

        Raises: RunTakenError: somebody has.
        """
        time.sleep(max(0.0, self._settled_at_s - time.monotonic()))
        self._error = self._error or self._found_out()
        self.check()

    def close(self) -> None:
        """Say nothing any more. Raises: as `check`, after a last look."""
        self._closed.set()
        self._thread.join()
        if self._error is None:
            self._error = self._found_out()
        self.check()

    def _keep(self) -> None:
        while not self._closed.wait(self._say_every_s):
            self._error = self._found_out() or self._said_so()
            if self._error is not None:
                return

    def _said_so(self) -> TielineError | None:
        try:
            patiently(lambda: write_run(self._client, self._record))
        except TielineError as error:
            return error
        except (ClickHouseError, OSError):
            return TransientError("clickhouse: the run can no longer be said to be worked on")
        return None

    def _found_out(self) -> TielineError | None:
        run = self._record.run
        try:
            started_at = _said(self._client, run)[0]
        except TielineError as error:
            return error
        except (ClickHouseError, OSError):
            return TransientError("clickhouse: it cannot be found out whether another replay works on the run")
        return None if started_at == self._record.started_at else _taken(run)


def wait_until_nobody_works_on(
    client: Client, run: str, waiting: Callable[[], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return once nothing has been heard of a run that is said to be running for long enough.

    Args:
        waiting: told once, if it takes a moment.
    Raises: RunTakenError: it is heard of.
    """
    _, first, now = _said(client, run)
    said = first
    told = False
    while (now - said).total_seconds() < GONE_AFTER_S:
        if not told:
            waiting()
            told = True
        sleep(_ASK_EVERY_S)
        _, said, now = _said(client, run)
        if said != first:
            raise RunTakenError(f"another replay is working on run {run!r}")


def _taken(run: str) -> RunTakenError:
    return RunTakenError(f"another replay has taken the name {run!r}")


def _begun(record: RunRecord | None) -> datetime | None:
    return None if record is None else record.started_at


def _said(client: Client, run: str) -> tuple[datetime, datetime, datetime]:
    rows = patiently(lambda: client.query(_SAID, parameters={"run": run}).result_rows)
    if not rows:
        raise RunTakenError(f"run {run!r} has been deleted")
    started_at, written_at, now = rows[0]
    return started_at, written_at, now
