"""Idempotency-Key: the answer to a request that was answered before, for a while and within bounds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from streams.gateway.http.problems import Refused

MAX_KEYS = 10_000
MAX_BYTES = 64 * 1024 * 1024
KEPT_S = 24 * 3600.0
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, media type and body of an answer that may be given again."""

    status: int
    media_type: str
    body: bytes


@dataclass(slots=True)
class _Entry:
    fingerprint: bytes
    at_s: float
    answer: Answer | None = None

    @property
    def bytes(self) -> int:
        return 256 + (len(self.answer.body) if self.answer else 0)


class Answers:
    """Answers by sender and key, in memory: the oldest go first when there are too many.

    They do not outlive the process. Nothing depends on that: an event that is sent again is the same event, by its
    source and id.

    Args:
        clock_s: a clock that only goes forward, in seconds.
    """

    def __init__(self, clock_s: Callable[[], float], max_keys: int = MAX_KEYS, max_bytes: int = MAX_BYTES) -> None:
        self._clock_s, self._max_keys, self._max_bytes = clock_s, max_keys, max_bytes
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    def begin(self, sender: str, key: str, request: bytes) -> tuple[bytes, Answer | None]:
        """The answer that was given, or None: the request is then under way until `finish` or `abandon`.

        Args:
            request: everything that makes it the same request.
        Returns: what `finish` and `abandon` are to be told, and the answer.
        Raises: Refused: `bad_header`, `idempotency_mismatch`, `idempotency_in_progress`.
        """
        if not (0 < len(key) <= 255 and key.isprintable()):
            raise Refused("bad_header", field="Idempotency-Key")
        place = hashlib.sha256(f"{sender}\n{key}".encode("utf-8", "surrogatepass")).digest()
        fingerprint = hashlib.sha256(request).digest()
        self._forget_old()
        entry = self._entries.get(place)
        if entry is None:
            self._add(place, _Entry(fingerprint, self._clock_s()))
            return place, None
        if entry.fingerprint != fingerprint:
            raise Refused("idempotency_mismatch")
        if entry.answer is None:
            raise Refused("idempotency_in_progress", retry_after_s=RETRY_AFTER_S)
        return place, entry.answer

    def finish(self, place: bytes, answer: Answer) -> None:
        """The request was answered, and a repetition gets the same."""
        entry = self._entries.get(place)
        if entry is not None:
            self._bytes += len(answer.body)
            entry.answer = answer
            self._forget_old()

    def abandon(self, place: bytes) -> None:
        """The request came to nothing: the next one with its key is worked on."""
        entry = self._entries.pop(place, None)
        if entry is not None:
            self._bytes -= entry.bytes

    def _add(self, place: bytes, entry: _Entry) -> None:
        self._entries[place] = entry
        self._bytes += entry.bytes

    def _forget_old(self) -> None:
        oldest_s = self._clock_s() - KEPT_S
        while self._entries:
            place, entry = next(iter(self._entries.items()))
            crowded = len(self._entries) >= self._max_keys or self._bytes > self._max_bytes
            if not crowded and entry.at_s > oldest_s:
                return
            self.abandon(place)
