"""`POST /v1/sources/{name}`: what a source sends by itself, proved by its signature or by a token."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.errors import InvalidEvent, TransientError
from streams.gateway.connectors.connector import Delivery
from streams.gateway.http.bodies import read_body, unpacked
from streams.gateway.http.endpoint import token_of
from streams.gateway.http.gateway import Acknowledge, Gateway, SourceEntry
from streams.gateway.http.problems import Refused, error_entry
from streams.gateway.http.split import media_type
from streams.gateway.intake import Taken
from streams.gateway.signatures import BadSignature, SignatureKind, verify

MAX_LISTED = 100
HL7, FHIR = "application/hl7-v2", "application/fhir+json"


class Deliveries:
    """The endpoint for all sources."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def take(self, request: Request) -> Response:
        """202 once everything is durable, dead letters included: a sender cannot correct what we cannot read, and many
        switch off what answers 4xx. 4xx only for who may not deliver, and for what is no delivery at all."""
        entry = self._entry(request)
        return await self._taken(request, entry, _answer)

    async def take_resource(self, request: Request) -> Response:
        """The same for a FHIR server that puts or posts each resource below the endpoint, and wants FHIR back."""
        entry = self._entry(request)
        if not entry.resources:
            raise Refused("not_found")
        return await self._taken(request, entry, _outcome)

    def _entry(self, request: Request) -> SourceEntry:
        entry = self._gateway.sources.get(str(request.path_params["name"]))
        if entry is None:
            raise Refused("not_found")
        return entry

    async def _taken(self, request: Request, entry: SourceEntry, answer: Callable[[Taken], Response]) -> Response:
        if entry.verify == "token":
            self._require_token(entry, request)
            entry.bucket.take()
        # Who has not proved anything yet shares a smaller room, so that strangers cannot keep known senders out.
        room = self._gateway.room if entry.verify == "token" else self._gateway.strangers
        with room.guest() as guest:
            raw = await read_body(request, entry.limits.max_body_bytes, guest)
            headers = {name: value for name, value in request.headers.items() if name not in _OURS}
            if entry.verify != "token":
                self._require_signature(entry, entry.verify, headers, raw)
                entry.bucket.take()
            _require_media_type(entry, request.headers.get("content-type", ""))
            body = unpacked(raw, request.headers.get("content-encoding", ""), entry.limits.max_body_bytes, guest)
            delivery = Delivery(body, headers, received_at=self._gateway.clock())
            if entry.acknowledge is not None:
                return await _acknowledged(entry, entry.acknowledge, delivery)
            return answer(await entry.intake.take(delivery))

    def _require_token(self, entry: SourceEntry, request: Request) -> None:
        token = token_of(self._gateway, request, "events:write")
        if not token.may_write(entry.intake.feeding.uri):
            raise Refused("source_not_allowed")

    def _require_signature(self, entry: SourceEntry, kind: SignatureKind, headers: dict[str, str], raw: bytes) -> None:
        secrets = [secret.get_secret_value().encode() for secret in entry.secrets]
        try:
            verify(kind, secrets, headers, raw, self._gateway.clock())
        except BadSignature:
            raise Refused("bad_signature", headers={"WWW-Authenticate": "Signature"}) from None


_OURS = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that no connector sees."""


def _require_media_type(entry: SourceEntry, header: str) -> None:
    """No Content-Type is taken for the right one: old senders leave it out."""
    if not header:
        return
    kind = media_type(header)
    if not any(kind.endswith(known) if known.startswith("+") else kind == known for known in entry.media_types):
        raise Refused("unsupported_media_type", accepted=list(entry.media_types))


async def _acknowledged(entry: SourceEntry, acknowledge: Acknowledge, delivery: Delivery) -> Response:
    """The acknowledgement that HL7 asks for, also of what is refused: 200, and 503 for what cannot be taken now."""
    try:
        taken = await entry.intake.take(delivery)
    except TransientError as error:
        content = acknowledge(delivery.body, None, delivery.received_at)
        if not content:
            raise
        retry = {"Retry-After": str(max(1, ceil(error.retry_after_s)))}
        return Response(content, 503, retry, HL7)
    content = acknowledge(delivery.body, taken, delivery.received_at)
    return Response(content, 200, media_type=HL7) if content else _answer(taken)


def _answer(taken: Taken) -> Response:
    errors = [taken.unreadable] if taken.unreadable else list(taken.invalid)
    listed = [_entry(error) for error in errors[:MAX_LISTED]]
    document = {"accepted": taken.kept, "unused": taken.unused, "invalid": len(errors), "errors": listed}
    return JSONResponse(document, 202)


def _outcome(taken: Taken) -> Response:
    invalid = len(taken.invalid) + (taken.unreadable is not None)
    issue = {
        "severity": "warning" if invalid else "information",
        "code": "processing" if invalid else "informational",
        "diagnostics": f"accepted {taken.kept}, unused {taken.unused}, invalid {invalid}",
    }
    return JSONResponse({"resourceType": "OperationOutcome", "issue": [issue]}, 200, media_type=FHIR)


def _entry(error: InvalidEvent) -> dict[str, object]:
    entry = error_entry(0, error)
    del entry["index"]
    return entry
