"""What a site says about its sources: which connector reads them, for which process, how they prove who they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from schemas.errors import ConfigError
from schemas.vocabulary import ActorKind, ProcessName, SiteName
from streams.gateway.connectors.catalogue import ConnectorName
from streams.gateway.edge.marks import Marks
from streams.gateway.signatures import SignatureKind

MIB = 1024 * 1024
SOURCES_FILE = "sources.yaml"
SOURCE_URN = "urn:tieline:"
MAX_SOURCES = 200
MAX_SECRET_BYTES = 4096

VerifyKind = Literal["token"] | SignatureKind
SourceKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
ActorPattern = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Settings(BaseModel):
    """Nothing is ignored: a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SecretRef(_Settings):
    """Where a secret is: in an environment variable or in a file; never in the settings themselves."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("expected either `env:` (a variable's name) or `file:` (a path)")
        return self

    def read(self, environment: Mapping[str, str] = os.environ) -> SecretStr:
        """The secret, without a line break at its end.

        Raises: ConfigError: it is not there, empty, or larger than 4 KiB; the message never repeats it.
        """
        place = f"environment variable {self.env}" if self.env else f"file {self.file}"
        try:
            found = environment.get(self.env, "") if self.env else _small_file(self.file or Path())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{place}: no secret can be read: {_why(error)}") from None
        secret = found.strip("\r\n")
        if not 0 < len(secret) <= MAX_SECRET_BYTES:
            raise ConfigError(f"{place}: expected a secret of 1 to {MAX_SECRET_BYTES} characters")
        return SecretStr(secret)


class Verify(_Settings):
    """How a delivery proves where it comes from: a signature, or a bearer token of this gateway (`token`)."""

    kind: VerifyKind
    secrets: Annotated[tuple[SecretRef, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _secrets_where_needed(self) -> Self:
        if self.kind == "token" and self.secrets:
            raise ValueError("`token` needs no `secrets`: `tieline tokens create` makes tokens")
        if self.kind != "token" and not self.secrets:
            raise ValueError(f"`{self.kind}` needs at least one of `secrets`")
        return self


class Limits(_Settings):
    """What a source may send. `per_s` counts deliveries, 0 is no limit; `burst` may come at once."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 2 * MIB
    per_s: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 100.0
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 200


class EventLimits(_Settings):
    """What the holder of one token may post to `/v1/events`. `per_s` counts requests, 0 is no limit."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 8 * MIB
    max_events: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    per_s: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 200


class ActorPatterns(_Settings):
    """Accounts that are no people, where the source does not say so itself; `*` stands for any text.

    Attributes:
        otherwise: what everybody else is, where the source does not say; `unknown` never counts to minimums.
    """

    bots: Annotated[tuple[ActorPattern, ...], Field(max_length=200)] = ()
    systems: Annotated[tuple[ActorPattern, ...], Field(max_length=200)] = ()
    otherwise: ActorKind = "unknown"

    @property
    def marks(self) -> Marks:
        """For the edge."""
        return Marks(self.bots, self.systems, self.otherwise)


class Source(_Settings):
    """One source.

    Attributes:
        source: what its events carry as CloudEvents `source`; `urn:tieline:<name>` if it is not given.
        site: for what the connector tells no site of.
        options: the connector's own settings, checked by its own model.
    """

    connector: ConnectorName
    process: ProcessName
    source: Annotated[str, StringConstraints(max_length=256, pattern=r"^[^#\s\x00-\x1f\x7f-\x9f]*$")] = ""
    site: SiteName = ""
    verify: Verify
    actors: ActorPatterns = ActorPatterns()
    limits: Limits = Limits()
    options: dict[str, Any] = Field(default_factory=dict)

    def uri(self, name: str) -> str:
        """The CloudEvents `source` of its events."""
        return self.source or f"{SOURCE_URN}{name}"


class Sources(_Settings):
    """A whole settings file."""

    version: Literal[1] = 1
    events: EventLimits = EventLimits()
    sources: Annotated[dict[SourceKey, Source], Field(max_length=MAX_SOURCES)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_uri_each(self) -> Self:
        seen: dict[str, str] = {}
        for name, source in self.sources.items():
            other = seen.setdefault(source.uri(name), name)
            if other != name:
                raise ValueError(f"sources.{name}: has the same `source` as {other}: ids of events would collide")
        return self


def _small_file(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_SECRET_BYTES + 3).decode()


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not text"
