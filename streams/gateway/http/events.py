"""`POST /v1/events` and `/v1/validate`: CloudEvents, alone, as a batch, as lines, or in binary mode."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import InvalidEvent
from streams.gateway import metrics as names
from streams.gateway.edge.edge import Sealed
from streams.gateway.http.bodies import read_body, unpacked
from streams.gateway.http.endpoint import token_of
from streams.gateway.http.gateway import Gateway
from streams.gateway.http.idempotency import Answer
from streams.gateway.http.problems import MEDIA_TYPE as PROBLEM
from streams.gateway.http.problems import Refused, error_entry
from streams.gateway.http.split import ATTRIBUTE_PREFIX, JSON, events_in
from streams.gateway.intake import AT_ONCE, dead_letter
from streams.gateway.limits import Guest
from streams.gateway.tokens import Token

Outcome = Sealed | InvalidEvent
Invalid = tuple[int, InvalidEvent]
"""What is wrong with an event, and its position in the request."""
IDEMPOTENCY_KEY = "idempotency-key"
KEPT, VALID = 202, 200


class Events:
    """The two endpoints for posted events."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def keep(self, request: Request) -> Response:
        """202 once every valid event is durable; 422 if there is none."""
        token = token_of(self._gateway, request, "events:write")
        bucket, breaker = self._gateway.senders.of(token.id)
        bucket.take()
        with self._gateway.room.guest() as guest:
            body = await read_body(request, self._gateway.limits.max_body_bytes, guest)

            async def work() -> Answer:
                breaker.enter()
                try:
                    raws = self._events(request, body, guest)
                except Refused:
                    breaker.record(True)
                    raise
                outcomes = await self._sealed(token, raws)
                invalid = _invalid(outcomes)
                answer = await self._kept(raws, outcomes, invalid)
                breaker.record(2 * len(invalid) > len(outcomes))
                return answer

            key = request.headers.get(IDEMPOTENCY_KEY)
            return _response(await work()) if key is None else await self._once(token, key, request, body, work)

    async def validate(self, request: Request) -> Response:
        """As `keep`, with 200 in place of 202; nothing is written."""
        token = token_of(self._gateway, request, "events:validate", "events:write")
        with self._gateway.room.guest() as guest:
            self._gateway.senders.of(token.id)[0].take()
            body = await read_body(request, self._gateway.limits.max_body_bytes, guest)
            outcomes = await self._sealed(token, self._events(request, body, guest))
        invalid = _invalid(outcomes)
        if invalid and len(invalid) == len(outcomes):
            raise _refused(invalid)
        return _response(_accepted(VALID, "valid", outcomes, invalid))

    async def _once(
        self, token: Token, key: str, request: Request, body: bytes, work: Callable[[], Awaitable[Answer]]
    ) -> Response:
        """The answer to the first request with this key."""
        answers = self._gateway.answers
        place, given = answers.begin(token.id, key, _fingerprint(request, body))
        if given is not None:
            return _response(given, {"Idempotency-Replayed": "true"})
        try:
            answer = await work()
        except BaseException:
            answers.abandon(place)
            raise
        answers.finish(place, answer)
        return _response(answer)

    def _events(self, request: Request, body: bytes, guest: Guest) -> list[bytes]:
        limits = self._gateway.limits
        content = unpacked(body, request.headers.get("content-encoding", ""), limits.max_body_bytes, guest)
        return events_in(request.headers, content, limits.max_events)

    async def _sealed(self, token: Token, raws: Sequence[bytes]) -> list[Outcome]:
        """What each event comes to. Others get their turn in between."""
        now, outcomes = self._gateway.clock(), list[Outcome]()
        allowed: dict[str, bool] = {}
        for start in range(0, len(raws), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for outcome in self._gateway.edge.seal_events(raws[start : start + AT_ONCE], now=now):
                if isinstance(outcome, Sealed):
                    source = outcome.source
                    if source not in allowed:
                        allowed[source] = token.may_write(source)
                    if not allowed[source]:
                        outcome = InvalidEvent("source_not_allowed", "source")
                outcomes.append(outcome)
        return outcomes

    async def _kept(self, raws: Sequence[bytes], outcomes: Sequence[Outcome], invalid: Sequence[Invalid]) -> Answer:
        log, metrics = self._gateway.log, self._gateway.metrics
        for code, count in Counter(error.code for _, error in invalid).items():
            metrics.add(names.EVENTS_INVALID, count, names.EVENTS_SOURCE, names.code_label(code))
        if invalid and len(invalid) == len(outcomes):
            refused = _refused(invalid)
            return Answer(refused.status, PROBLEM, refused.body())
        await log.keep([(each.key, each.value) for each in outcomes if isinstance(each, Sealed)])
        if invalid:
            # The answer says so too, but a sender that only looks at the status would not notice.
            at = self._gateway.clock()
            letters = [dead_letter(names.EVENTS_SOURCE, index, error, raws[index], at) for index, error in invalid]
            await log.keep_dead_letters(letters)
        metrics.add(names.EVENTS_KEPT, len(outcomes) - len(invalid), names.EVENTS_SOURCE)
        return _accepted(KEPT, "accepted", outcomes, invalid)


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers, answer.media_type)


def _invalid(outcomes: Sequence[Outcome]) -> list[Invalid]:
    return [(index, each) for index, each in enumerate(outcomes) if isinstance(each, InvalidEvent)]


def _refused(invalid: Sequence[Invalid]) -> Refused:
    """No event is any good. A sender that may not write any of these sources is told so by the status."""
    if all(error.code == "source_not_allowed" for _, error in invalid):
        return Refused("source_not_allowed", errors=invalid)
    return Refused("invalid_events", errors=invalid)


def _accepted(status: int, word: str, outcomes: Sequence[Outcome], invalid: Sequence[Invalid]) -> Answer:
    results = [
        {"index": index, "status": "invalid"} | error_entry(index, each)
        if isinstance(each, InvalidEvent)
        else {"index": index, "status": word, "id": each.id}
        for index, each in enumerate(outcomes)
    ]
    document = {word: len(outcomes) - len(invalid), "invalid": len(invalid), "results": results}
    return Answer(status, JSON, to_json(document))


def _fingerprint(request: Request, body: bytes) -> bytes:
    """Everything that makes it the same request."""
    named = [(name, value) for name, value in request.headers.items() if name in _TOLD or name[:3] == ATTRIBUTE_PREFIX]
    return b"\n".join([*(f"{name}:{value}".encode() for name, value in sorted(named)), b"", body])


_TOLD = frozenset({"content-type", "content-encoding"})
