"""Who signed a delivery: published test vectors, changed secrets, replays, and everything that is not a signature."""

from __future__ import annotations

import hmac
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gateway.signatures import MAX_SIGNATURES, TOLERANCE, BadSignature, SignatureKind, verify

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = '{"text": "über"}'.encode()
SECRET, OTHER = b"a secret of the source", b"another one"


def signed(kind: SignatureKind, secret: bytes = SECRET, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    """The headers with which a source of this kind would send the body."""
    seconds, iso = str(int(at.timestamp())), at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def digest(content: bytes) -> bytes:
        return hmac.digest(secret, content, "sha256")

    return {
        "standard_webhooks": {
            "webhook-id": "msg_1",
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{b64encode(digest(f'msg_1.{seconds}.'.encode() + body)).decode()}",
        },
        "github": {"x-hub-signature-256": f"sha256={digest(body).hex()}"},
        "jira": {"x-hub-signature": f"sha256={digest(body).hex()}"},
        "pagerduty": {"x-pagerduty-signature": f"v1={digest(body).hex()}"},
        "zendesk": {
            "x-zendesk-webhook-signature": b64encode(digest(iso.encode() + body)).decode(),
            "x-zendesk-webhook-signature-timestamp": iso,
        },
    }[kind]


def refused(kind: SignatureKind, headers: dict[str, str], *secrets: bytes, body: bytes = BODY) -> str:
    with pytest.raises(BadSignature) as caught:
        verify(kind, secrets or (SECRET,), headers, body, NOW)
    assert str(caught.value) == caught.value.code
    return caught.value.code


every_kind = pytest.mark.parametrize("kind", get_args(SignatureKind))
timed = pytest.mark.parametrize("kind", ["standard_webhooks", "zendesk"])


def test_vector_of_the_github_manual() -> None:
    headers = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    verify("github", [b"It's a Secret to Everybody"], headers, b"Hello, World!", NOW)


def test_vector_of_the_jira_manual() -> None:
    headers = {"x-hub-signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"}
    verify("jira", [b"It's a Secret to Everybody"], headers, b"Hello World!", NOW)


@pytest.mark.parametrize("secret", [b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_vector_of_standard_webhooks(secret: bytes) -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,bm9wZQ== v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,bm9wZQ==",
    }
    verify("standard_webhooks", [secret], headers, b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC))


@every_kind
def test_genuine_delivery_is_let_in(kind: SignatureKind) -> None:
    verify(kind, [SECRET], signed(kind), BODY, NOW)


@every_kind
def test_any_active_secret_will_do(kind: SignatureKind) -> None:
    for secrets in ([SECRET, OTHER], [OTHER, SECRET], [OTHER, OTHER, SECRET]):
        verify(kind, secrets, signed(kind), BODY, NOW)


@every_kind
def test_one_changed_byte_is_a_mismatch(kind: SignatureKind) -> None:
    assert refused(kind, signed(kind), body=BODY + b" ") == "mismatch"
    assert refused(kind, signed(kind, OTHER)) == "mismatch"
    assert refused(kind, signed(kind), OTHER) == "mismatch"


@every_kind
def test_no_secret_or_an_empty_one_lets_nobody_in(kind: SignatureKind) -> None:
    with pytest.raises(BadSignature, match="mismatch"):
        verify(kind, [], signed(kind), BODY, NOW)
    assert refused(kind, signed(kind, b""), b"") == "mismatch"
    assert refused("standard_webhooks", signed("standard_webhooks", b""), b"whsec_") == "mismatch"


@every_kind
def test_missing_header_is_called_missing(kind: SignatureKind) -> None:
    headers = signed(kind)
    for name in headers:
        assert refused(kind, {key: value for key, value in headers.items() if key != name}) == "missing"
        assert refused(kind, headers | {name: "  "}) == "missing"


@every_kind
@pytest.mark.parametrize("value", ["x", "sha1=" + "0" * 40, "v1=" + "0" * 63, "v1,AAAA", "=", "ü" * 64, "0" * 9999])
def test_header_that_is_no_signature_is_malformed(kind: SignatureKind, value: str) -> None:
    name = next(name for name in signed(kind) if name.endswith(("signature", "signature-256")))
    assert refused(kind, signed(kind) | {name: value}) == "malformed"


def test_older_method_is_refused_even_if_it_is_genuine() -> None:
    weak = f"sha1={hmac.new(SECRET, BODY, 'sha1').hexdigest()}"
    assert refused("jira", {"x-hub-signature": weak}) == "malformed"
    assert refused("github", {"x-hub-signature": weak}) == "missing"


@timed
def test_replay_is_stale_after_five_minutes_and_before(kind: SignatureKind) -> None:
    for away in (TOLERANCE, -TOLERANCE):
        verify(kind, [SECRET], signed(kind, at=NOW + away), BODY, NOW)
    for away in (TOLERANCE + timedelta(seconds=1), -TOLERANCE - timedelta(seconds=1), -timedelta(days=900)):
        assert refused(kind, signed(kind, at=NOW + away)) == "stale"


@timed
def test_late_forgery_is_a_mismatch(kind: SignatureKind) -> None:
    assert refused(kind, signed(kind, OTHER, at=NOW - timedelta(days=1))) == "mismatch"


@timed
@pytest.mark.parametrize(
    "at", ["soon", "-1", "9" * 12, "١٢٣", "2026-03-02T08:00:00", "1e9", "1.5", "2026-99-99T00:00:00Z"]
)
def test_time_that_is_none_is_malformed(kind: SignatureKind, at: str) -> None:
    name = next(name for name in signed(kind) if name.endswith("timestamp"))
    assert refused(kind, signed(kind) | {name: at}) == "malformed"


@timed
def test_time_is_signed_too(kind: SignatureKind) -> None:
    headers = signed(kind)
    name = next(name for name in headers if name.endswith("timestamp"))
    assert refused(kind, headers | {name: signed(kind, at=NOW + timedelta(seconds=1))[name]}) == "mismatch"


def test_id_is_signed_too() -> None:
    assert refused("standard_webhooks", signed("standard_webhooks") | {"webhook-id": "msg_2"}) == "mismatch"


def test_pagerduty_signs_with_two_secrets_while_they_change() -> None:
    old, new = (signed("pagerduty", secret)["x-pagerduty-signature"] for secret in (OTHER, SECRET))
    verify("pagerduty", [SECRET], {"x-pagerduty-signature": f"{old},{new}"}, BODY, NOW)
    verify("pagerduty", [SECRET], {"x-pagerduty-signature": f"{old}, {new}"}, BODY, NOW)
    assert refused("pagerduty", {"x-pagerduty-signature": ",".join([old] * (MAX_SIGNATURES + 1))}) == "malformed"


@given(
    kind=st.sampled_from(get_args(SignatureKind)),
    values=st.lists(st.text(max_size=80), min_size=4, max_size=4),
    body=st.binary(max_size=40),
)
def test_nothing_but_a_refusal_comes_of_any_headers(kind: SignatureKind, values: list[str], body: bytes) -> None:
    headers = dict(zip(signed(kind), values, strict=False))
    with suppress(BadSignature):
        verify(kind, [SECRET], headers, body, NOW)
        raise AssertionError("let in")
