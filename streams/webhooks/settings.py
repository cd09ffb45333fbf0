"""Which webhooks there are, and the whole of a `signals.yaml`."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator

from schemas.errors import ConfigError
from schemas.signal import KINDS, SignalKind
from schemas.vocabulary import ProcessName
from streams.apps.signals.settings import Kinds, Part, QuietHours
from streams.gateway.sources import SecretRef
from streams.webhooks.address import ForbiddenAddress, check_url

MAX_WEBHOOKS = 50
_PREFIX, _LEAST_BYTES, _MOST_BYTES = "whsec_", 24, 64
WebhookName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Webhook(Part):
    """One receiver.

    Attributes:
        url: https, or any loopback address; without user and password. Kept out of logs: it often holds a token.
        secrets: to sign with; two while the receiver changes from one to the other.
        kinds, processes: what it is told; no process named: of all.
        closings: also when a signal has ended.
        allow_private: the receiver may have a private address.
        timeout_s: of one attempt.
    """

    url: SecretStr
    secrets: Annotated[tuple[SecretRef, ...], Field(min_length=1, max_length=5)]
    kinds: frozenset[SignalKind] = frozenset(KINDS)
    processes: frozenset[ProcessName] = frozenset()
    closings: bool = False
    allow_private: bool = False
    timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise ValueError("not a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError("expected https://host/path, without user and password")
        try:
            check_url(text, allow_private=True)
        except ForbiddenAddress as error:
            raise ValueError(str(error)) from None
        return url


class SignalsFile(Part):
    """A whole settings file.

    Attributes:
        quiet: when webhooks wait; none: never.
    """

    version: Literal[1] = 1
    kinds: Kinds = Kinds()
    quiet: QuietHours | None = None
    webhooks: Annotated[dict[WebhookName, Webhook], Field(max_length=MAX_WEBHOOKS)] = Field(default_factory=dict)


class Receiver(NamedTuple):
    """A webhook with its secrets read."""

    name: str
    url: str
    secrets: tuple[bytes, ...]
    webhook: Webhook


def receivers(settings: SignalsFile, environment: Mapping[str, str] = os.environ) -> list[Receiver]:
    """All webhooks, in order of their names.

    Raises: ConfigError: a secret cannot be read, or is none; the message never repeats it.
    """
    return [_receiver(name, webhook, environment) for name, webhook in sorted(settings.webhooks.items())]


def _receiver(name: str, webhook: Webhook, environment: Mapping[str, str]) -> Receiver:
    url = webhook.url.get_secret_value()
    try:
        check_url(url, webhook.allow_private)
        secrets = tuple(_secret(number, ref, environment) for number, ref in enumerate(webhook.secrets))
    except (ForbiddenAddress, ConfigError) as error:
        raise ConfigError(f"webhooks.{name}: {error}") from None
    return Receiver(name, url, secrets, webhook)


def _secret(number: int, ref: SecretRef, environment: Mapping[str, str]) -> bytes:
    text = ref.read(environment).get_secret_value()
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise ConfigError(
            f"secrets.{number}: expected {_PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64, for instance"
            f" {_PREFIX} and what `openssl rand -base64 32` prints"
        )
    return text.encode()
