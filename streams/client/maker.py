"""Events from what a system knows: actors hashed, everything checked."""

from __future__ import annotations

from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TypeVar

from pydantic_core import PydanticSerializationError, to_json

from schemas.actor_key import ActorKey, parse_actor_key
from schemas.decoding import decode
from schemas.envelope import Envelope
from schemas.errors import ConfigError, InvalidEvent
from schemas.events import EVENT_TYPES
from schemas.vocabulary import ActorKind

_Event = TypeVar("_Event", bound=Envelope)
_TYPE_OF = {cls: name for name, cls in EVENT_TYPES.items()}


def read_key(path: str | PathLike[str]) -> ActorKey:
    """The site's actor key, from its file.

    Raises: ConfigError: it cannot be read, or is no key file; nothing of its content is repeated.
    """
    try:
        return parse_actor_key(Path(path).read_text(encoding="ascii"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the actor key cannot be read: it is not plain ASCII text") from None
    except OSError as error:
        raise ConfigError(f"{path}: the actor key cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


class EventMaker:
    """Makes the events of one source and process.

    Args:
        source: CloudEvents source: who says it. Together with an event's id its identity.
        key: of the site, where actors are named; without it `actor` must not be given.
        site: unit, ward or facility of all events that name no other.
    """

    def __init__(self, source: str, process: str, key: ActorKey | None = None, site: str = "") -> None:
        self._source, self._process, self._key, self._site = source, process, key, site

    def make(
        self,
        kind: type[_Event],
        *,
        id: str,
        work_item: str,
        at: datetime,
        actor: str | None = None,
        actor_kind: ActorKind = "human",
        sequence: int = 0,
        site: str | None = None,
        **data: object,
    ) -> _Event:
        """An event of the contract.

        Args:
            kind: its class, such as `schemas.events.HandoffAccepted`.
            id: the same whenever the same thing is told again: from your record's id, never from a clock or chance.
            at: when it happened, aware.
            actor: who acted, by a name that stays the same: hashed here, and nowhere in the event.
            data: the other fields of the event's data, by their names in the contract.
        Raises: InvalidEvent: code and field, never a value. ValueError: an actor without a key.
        Cost: 20 µs.
        """
        told = {
            "specversion": "1.0",
            "type": _TYPE_OF[kind],
            "source": self._source,
            "id": id,
            "time": at,
            "process": self._process,
            "subject": work_item,
            "site": self._site if site is None else site,
            "sequence": sequence,
            "data": {**data, **self._actor(actor, actor_kind)},
        }
        try:
            raw = to_json(told)
        except (PydanticSerializationError, ValueError):
            raise InvalidEvent("invalid_value") from None
        event = decode(raw)
        assert isinstance(event, kind)
        return event

    def _actor(self, name: str | None, kind: ActorKind) -> dict[str, object]:
        if name is None:
            return {}
        if self._key is None:
            raise ValueError("an actor needs the site's key: `EventMaker(…, key=read_key(path))`")
        try:
            return {"actor": {"id": self._key.hash_actor(name), "kind": kind}}
        except ValueError:
            raise InvalidEvent("invalid_value", "data.actor.id") from None
