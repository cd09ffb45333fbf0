"""Integrators under test: threads that post events, and go on trying until each is accepted."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

_ATTEMPT_TIMEOUT_S = 15.0
_PAUSE_S = 0.1
_AGAIN_PAUSE_S = 0.1


class Senders:
    """Post every event at least once, in small batches, from several connections; then any of them again, slowly.

    Args:
        pause_s: between two batches of one connection.

    Attributes:
        accepted: how many of the events were answered with 202, each counted once.
        answers: how often each status came; 0 for a connection that broke.
        strange: bodies of answers that were neither 202, 429 nor 503.
    """

    def __init__(
        self,
        url: Callable[[], str],
        headers: Mapping[str, str],
        events: Sequence[bytes],
        threads: int = 3,
        pause_s: float = 0.0,
    ) -> None:
        self._pause_s = pause_s
        self._url, self._headers, self._events = url, headers, events
        self._shares = [list(range(number, len(events), threads)) for number in range(threads)]
        self._dice = [random.Random(number) for number in range(threads)]
        self._done, self._counting = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(threads)]
        self._accepted: set[int] = set()
        self.answers: dict[int, int] = {}
        self.strange: list[bytes] = []

    @property
    def accepted(self) -> int:
        return len(self._accepted)

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(_ATTEMPT_TIMEOUT_S * 2)

    def wait_for_all(self, timeout_s: float) -> None:
        """Until every event was accepted."""
        deadline_s = time.monotonic() + timeout_s
        while self.accepted < len(self._events):
            said = f"{self.accepted} of {len(self._events)}, {self.answers}, {self.strange[:3]}"
            assert time.monotonic() < deadline_s, said
            time.sleep(0.05)

    def _send(self, number: int) -> None:
        share, dice = self._shares[number], self._dice[number]
        at = 0
        while not self._done.is_set():
            count = dice.randint(1, 12)
            chosen = share[at : at + count] or dice.sample(share, min(count, len(share)))
            at += count
            while not self._done.is_set():
                if self._post(b"\n".join(self._events[index] for index in chosen)) == 202:
                    with self._counting:
                        self._accepted.update(chosen)
                    break
                time.sleep(_PAUSE_S)
            time.sleep(_AGAIN_PAUSE_S if at > len(share) else self._pause_s)

    def _post(self, body: bytes) -> int:
        where = urlsplit(self._url())
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_ATTEMPT_TIMEOUT_S)
        status = 0
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/v1/events", body, dict(self._headers))
            answer = connection.getresponse()
            said = answer.read()
            status = answer.status
            if status not in (202, 429, 503):
                self.strange.append(said[:500])
        connection.close()
        with self._counting:
            self.answers[status] = self.answers.get(status, 0) + 1
        return status
