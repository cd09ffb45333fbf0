"""Everything that can go wrong with a request, as RFC 9457 problem details. They name fields, never values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from starlette.responses import Response

from schemas.errors import InvalidEvent, TielineError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tieline:problem:"
MAX_LISTED = 1000
"""Invalid events that one problem lists; how many more there are is said."""


class Kind(NamedTuple):
    """One kind of problem."""

    status: int
    title: str
    detail: str


PROBLEMS: dict[str, Kind] = {
    "bad_header": Kind(
        400, "A header is malformed", "A header that the request needs is missing, repeated or malformed."
    ),
    "not_json": Kind(400, "Not JSON", "The body is not JSON of the kind that its Content-Type names, in UTF-8."),
    "bad_encoding": Kind(400, "Not gzip", "The body is not what its Content-Encoding says."),
    "disconnected": Kind(400, "The body is incomplete", "The connection ended before the body did."),
    "bad_token": Kind(401, "Not let in", "Send an active token: `Authorization: Bearer tieline_…`."),
    "no_tokens": Kind(
        401, "No tokens yet", "This gateway lets nobody in until its operator runs `tieline tokens create`."
    ),
    "bad_signature": Kind(
        401,
        "Not let in",
        "The signature is missing, too old, or not made with a secret of this source over these bytes.",
    ),
    "scope_missing": Kind(403, "Not allowed", "The token does not have the scope for this."),
    "source_not_allowed": Kind(403, "Not allowed", "The token may not write events of this source."),
    "not_found": Kind(404, "Not found", "There is nothing here; sources are named in the gateway's settings."),
    "wrong_method": Kind(405, "Wrong method", "This path takes another method."),
    "slow_body": Kind(408, "Too slow", "The body did not arrive in time."),
    "idempotency_in_progress": Kind(
        409, "Still at work", "A request with this Idempotency-Key is being worked on; ask again for its answer."
    ),
    "too_large": Kind(413, "Too large", "The body is larger than is allowed here, before or after decompression."),
    "too_many_events": Kind(413, "Too many events", "The batch has more events than are allowed in one request."),
    "unsupported_media_type": Kind(415, "Wrong Content-Type", "The Content-Type is none that is read here."),
    "unsupported_encoding": Kind(415, "Wrong Content-Encoding", "Only `gzip` and `identity` are understood."),
    "invalid_events": Kind(422, "Invalid events", "No event was kept: none is valid. `errors` says what is wrong."),
    "idempotency_mismatch": Kind(
        422, "Another body", "This Idempotency-Key was used with another body; a new request needs a new key."
    ),
    "rate_limited": Kind(429, "Too often", "This sender's rate is used up; come again after Retry-After seconds."),
    "overloaded": Kind(429, "Too busy", "Too much is being worked on; come again after Retry-After seconds."),
    "internal": Kind(500, "A mistake of ours", "The gateway failed; its log says where. Nothing was acknowledged."),
    "unavailable": Kind(
        503, "Cannot keep events", "Neither Kafka nor the spool can take events now; send the same request again later."
    ),
    "not_ready": Kind(503, "Not ready", "Events cannot be kept now; `checks` says why."),
    "breaker_open": Kind(
        503, "Intake stopped", "Most of what this sender sent could not be read, so nothing is looked at for a while."
    ),
}


class Refused(TielineError):  # noqa: N818 - the domain word is the name
    """A request that is answered with a problem.

    Attributes:
        code: a key of `PROBLEMS`.
        headers: of the answer.
        more: further members of the problem.
    """

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[tuple[int, InvalidEvent]] = (),
        headers: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.code, self.errors, self.more = code, errors, more
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, ceil(retry_after_s)))

    @property
    def status(self) -> int:
        """HTTP status."""
        return PROBLEMS[self.code].status

    def response(self) -> Response:
        """The answer."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)

    def body(self) -> bytes:
        """The problem document."""
        kind = PROBLEMS[self.code]
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.code,
            "title": kind.title,
            "status": kind.status,
            "detail": kind.detail,
        }
        if self.errors:
            document["errors"] = [error_entry(index, error) for index, error in self.errors[:MAX_LISTED]]
            document["invalid"] = len(self.errors)
        return json.dumps(document | self.more).encode()


def error_entry(index: int, error: InvalidEvent) -> dict[str, Any]:
    """What is wrong with one event."""
    return {"index": index, "field": error.field, "code": error.code}
