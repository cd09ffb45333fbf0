"""Whether a delivery was signed with one of a source's secrets: over the bytes as they came, in constant time.

And signing of what Tieline itself sends.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from schemas.errors import TielineError

SignatureKind = Literal["standard_webhooks", "github", "pagerduty", "zendesk", "jira"]
Refusal = Literal["missing", "malformed", "stale", "mismatch"]

TOLERANCE = timedelta(minutes=5)
"""How far the time of *signing* may be from now, either way. The time of the event may be any."""
MAX_SIGNATURES = 16
"""In one header: a sender that changes its secret signs with two."""

_DIGEST_BYTES = 32
_HEX = re.compile(rf"[0-9a-fA-F]{{{2 * _DIGEST_BYTES}}}")
_EPOCH_S = re.compile(r"[0-9]{1,12}", re.ASCII)
_MAX_HEADER_CHARS = 4096
_SECRET_PREFIX = b"whsec_"


class BadSignature(TielineError):  # noqa: N818 - the domain word is the name
    """A delivery that nobody with a secret of the source has signed, or signed too long ago: refuse it (401).

    Attributes:
        code: `missing` (a header is not there), `malformed` (it is not as the source writes it), `stale` (rightly
            signed more than five minutes from now), `mismatch` (by no active secret over these bytes).

    Operator action: none if somebody else is knocking; else compare the secret in the source with the setting, for
    `stale` the clocks.
    """

    def __init__(self, code: Refusal) -> None:
        super().__init__(code)
        self.code: Refusal = code


class _Signed(NamedTuple):
    """What was signed, when (None: not told), and the digests that were sent with it."""

    content: bytes
    digests: tuple[bytes, ...]
    at: datetime | None = None


def verify(
    kind: SignatureKind, secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Returns if any of the secrets signed this delivery.

    Args:
        secrets: all that are active, as the source shows them; of Standard Webhooks `whsec_` and base64, or any bytes.
        headers: lower-case names.
        body: as it came, before anything parsed it.
        now: aware.
    Raises: BadSignature: nothing in it comes from the delivery. A late one is only called `stale` if it is genuine.
    Cost: one HMAC for each secret, whichever matches: 1 µs for each KB.
    """
    signed = _READERS[kind](headers, body)
    expected = [hmac.digest(key, signed.content, "sha256") for secret in secrets for key in _keys(kind, secret)]
    # A list, not a generator: every pair is compared, so the time does not tell which secret it was.
    matches = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in signed.digests]
    if not any(matches):
        raise BadSignature("mismatch")
    if signed.at is not None and abs(now - signed.at) > TOLERANCE:
        raise BadSignature("stale")


def sign(secrets: Sequence[bytes], message: str, body: bytes, at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks.

    Args:
        secrets: `whsec_` and base64; one signature for each, so that a receiver may change from one to the next.
        message: its id, without a full stop, the same for every attempt.
        at: aware; of this attempt.
    """
    seconds = str(int(at.timestamp()))
    content = f"{message}.{seconds}.".encode() + body
    # The first key of a secret is the one that its prefix means.
    digests = [hmac.digest(_keys("standard_webhooks", secret)[0], content, "sha256") for secret in secrets]
    signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
    return {"webhook-id": message, "webhook-timestamp": seconds, "webhook-signature": signatures}


def _keys(kind: SignatureKind, secret: bytes) -> tuple[bytes, ...]:
    if not secret:
        return ()  # an empty key is one that everybody has
    if kind != "standard_webhooks":
        return (secret,)
    try:
        decoded = b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        return (secret,)
    # Libraries decode with and without the prefix; a sender written by hand uses its secret as it is.
    keys = (decoded,) if secret.startswith(_SECRET_PREFIX) else (decoded, secret)
    return tuple(key for key in keys if key)


def _standard_webhooks(headers: Mapping[str, str], body: bytes) -> _Signed:
    message, at = _header(headers, "webhook-id"), _header(headers, "webhook-timestamp")
    versions = (signature.partition(",") for signature in _header(headers, "webhook-signature").split())
    digests = _digests(_base64, (digest for version, _, digest in versions if version == "v1"))
    if not _EPOCH_S.fullmatch(at):
        raise BadSignature("malformed")
    return _Signed(_bytes(f"{message}.{at}.") + body, digests, _epoch(at))


def _github(headers: Mapping[str, str], body: bytes) -> _Signed:
    return _Signed(body, _hub(_header(headers, "x-hub-signature-256")))


def _jira(headers: Mapping[str, str], body: bytes) -> _Signed:
    return _Signed(body, _hub(_header(headers, "x-hub-signature")))


def _pagerduty(headers: Mapping[str, str], body: bytes) -> _Signed:
    versions = (part.strip().partition("=") for part in _header(headers, "x-pagerduty-signature").split(","))
    return _Signed(body, _digests(_hexadecimal, (digest for version, _, digest in versions if version == "v1")))


def _zendesk(headers: Mapping[str, str], body: bytes) -> _Signed:
    digests = _digests(_base64, [_header(headers, "x-zendesk-webhook-signature")])
    at = _header(headers, "x-zendesk-webhook-signature-timestamp")
    return _Signed(_bytes(at) + body, digests, _epoch(at) if _EPOCH_S.fullmatch(at) else _iso(at))


_READERS: dict[SignatureKind, Callable[[Mapping[str, str], bytes], _Signed]] = {
    "standard_webhooks": _standard_webhooks,
    "github": _github,
    "pagerduty": _pagerduty,
    "zendesk": _zendesk,
    "jira": _jira,
}


def _header(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(name, "").strip()
    if not found:
        raise BadSignature("missing")
    if len(found) > _MAX_HEADER_CHARS:
        raise BadSignature("malformed")
    return found


def _hub(header: str) -> tuple[bytes, ...]:
    method, _, digest = header.partition("=")
    # Never `sha1=`, which some sources also send: the sender would choose how well it is checked.
    return _digests(_hexadecimal, [digest] if method == "sha256" else [])


def _digests(decode: Callable[[str], bytes | None], texts: Iterable[str]) -> tuple[bytes, ...]:
    """Those that are digests; others beside them may be of a version to come."""
    found = tuple(digest for text in texts if (digest := decode(text)) is not None)
    if not 0 < len(found) <= MAX_SIGNATURES:
        raise BadSignature("malformed")
    return found


def _hexadecimal(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def _base64(text: str) -> bytes | None:
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        return None
    return found if len(found) == _DIGEST_BYTES else None


def _bytes(header: str) -> bytes:
    try:
        return header.encode("latin-1")  # as HTTP servers decode headers
    except UnicodeEncodeError:
        raise BadSignature("malformed") from None


def _epoch(digits: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(digits), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature("malformed") from None


def _iso(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadSignature("malformed") from None
    if at.tzinfo is None:
        raise BadSignature("malformed")
    return at
