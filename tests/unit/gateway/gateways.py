"""Gateways for tests: a log in memory, a clock that stands still until it is told to move, real keys and policies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from schemas.actor_key import ActorKey
from schemas.dead_letter import DeadLetter
from schemas.errors import InvalidEvent, TransientError
from schemas.policy import Policy, PolicyBook
from streams.gateway.breaker import Breaker, BreakerSettings
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.edge.draft import Acting, Draft, Reading
from streams.gateway.edge.edge import Edge
from streams.gateway.edge.keyring import Keyring, Keys
from streams.gateway.http.app import gateway_app
from streams.gateway.http.gateway import ROOM_BYTES, Gateway, SourceEntry
from streams.gateway.intake import Feeding, Intake
from streams.gateway.limits import Bucket, Room
from streams.gateway.metrics import Metrics
from streams.gateway.sources import EventLimits, Limits, VerifyKind
from streams.gateway.tokens import SCOPES, Scope, TokenFile, Tokens
from tests.builders import T0, raw_event
from tests.unit.gateway.asgi import Answer, ask

KEY = ActorKey("k1", bytes(32))
SECRET = "webhook-secret"


class StillClock:
    """Both clocks of a gateway; they move together, when told to."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def now(self) -> Any:
        return T0 + timedelta(days=30, seconds=self.elapsed_s)

    def seconds(self) -> float:
        return self.elapsed_s


@dataclass
class MemoryLog:
    """Keeps everything in memory, unless it is told to be away."""

    state: str = "kafka"
    depth_bytes: int = 0
    oldest_s: float = 0.0
    damaged_segments: int = 0
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    async def keep(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        self._require_there()
        self.records += records

    async def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        self._require_there()
        self.letters += letters

    def _require_there(self) -> None:
        if self.state not in ("kafka", "spool"):
            raise TransientError("no room", 5.0)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(value) for _, value in self.records]


class Lines:
    """A connector for tests: `open WORK_ITEM NAME` per line; `skip` is unused, anything else cannot be read."""

    name = "lines"

    def read(self, delivery: Delivery, context: Context) -> Reading:
        drafts, unused = list[Draft](), list[str]()
        for number, line in enumerate(delivery.body.decode("utf-8", "replace").split("\n")):
            word, _, rest = line.partition(" ")
            subject, _, name = rest.partition(" ")
            if word == "open":
                at, kind = T0 + timedelta(minutes=number), "tieline.work_item.opened.v1"
                data = {"role": "desk"}
                drafts.append(Draft(kind, f"{subject}/{number}", at, subject, data, Acting(name, "human")))
            elif word == "skip":
                unused.append("no_role")
            elif word == "crash":
                raise RuntimeError(f"a mistake with {rest}")
            else:
                raise InvalidEvent("not_json")
        return Reading(tuple(drafts), tuple(unused))


class World:
    """A gateway with everything around it that a test looks at."""

    def __init__(
        self,
        folder: Path,
        limits: EventLimits | None = None,
        breaker: BreakerSettings | None = None,
        room_bytes: int = ROOM_BYTES,
    ) -> None:
        self.clock, self.log, self.file = StillClock(), MemoryLog(), TokenFile(folder / "tokens.json")
        self.edge = Edge(Keyring(Keys(KEY)), PolicyBook((policy(),)), self.clock.now)
        self.metrics = Metrics(["lines"])
        self.token = self.new_token()
        self.sources: dict[str, SourceEntry] = {}
        self.gateway = Gateway(
            edge=self.edge,
            log=self.log,
            tokens=Tokens(self.file, self.clock.now, self.clock.seconds),
            metrics=self.metrics,
            sources=self.sources,
            limits=limits or EventLimits(),
            breaker=breaker or BreakerSettings(),
            room=Room(room_bytes),
            clock=self.clock.now,
            clock_s=self.clock.seconds,
        )
        self.app: FastAPI = gateway_app(self.gateway)

    def new_token(self, scopes: Sequence[Scope] = SCOPES, sources: Sequence[str] = ("*",), **more: Any) -> str:
        """A token that is shown once: here."""
        return self.file.create(scopes, sources, self.clock.now(), **more).shown

    def add_source(
        self,
        name: str = "lines",
        verify: VerifyKind = "github",
        limits: Limits | None = None,
        breaker: BreakerSettings | None = None,
        media_types: Sequence[str] = ("application/json", "+json"),
        resources: bool = False,
    ) -> SourceEntry:
        """A source of the connector for tests."""
        feeding, chosen = Feeding(name, f"urn:tieline:{name}", "p"), limits or Limits()
        own_breaker = Breaker(name, self.clock.seconds, breaker)
        entry = self.sources[name] = SourceEntry(
            intake=Intake(feeding, Lines(), self.edge, self.log, own_breaker, self.metrics),
            verify=verify,
            secrets=() if verify == "token" else (SecretStr(SECRET),),
            limits=chosen,
            media_types=media_types,
            bucket=Bucket(chosen.per_s, chosen.burst, self.clock.seconds),
            resources=resources,
        )
        return entry

    async def post(
        self, path: str, body: bytes | Sequence[bytes], kind: str = "application/cloudevents+json", **headers: str
    ) -> Answer:
        """With the token; `a_b` in the name of a header stands for `a-b`."""
        given = {"authorization": f"Bearer {self.token}", "content-type": kind}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await ask(self.app, "POST", path, body, {name: value for name, value in given.items() if value})

    async def get(self, path: str, **headers: str) -> Answer:
        """With the token."""
        return await ask(self.app, "GET", path, headers={"authorization": f"Bearer {self.token}", **headers})

    async def counted(self) -> str:
        """The text of `/metrics`."""
        return (await self.get("/metrics")).body.decode()


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    """A valid event as plain JSON; its id, and its minute, is the number."""
    return raw_event("work_item.opened", number, id=f"e{number}", role="desk", **more)


def packed(document: Any) -> bytes:
    """As JSON bytes."""
    return json.dumps(document).encode()


def policy(**more: Any) -> Policy:
    """A policy that knows process `p`."""
    content: Mapping[str, Any] = {"version": "v1", "effective_from": "2020-01-01T00:00:00Z", "processes": {"p": {}}}
    return Policy.model_validate({**content, **more})
