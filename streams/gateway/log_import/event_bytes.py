"""Tieline events as canonical bytes, put together from parts that were validated once.

Building the models would take five times as long; a test holds every byte against `Envelope.canonical`.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.decoding import decode
from schemas.events import Event
from schemas.vocabulary import Code, LongId, RoleName, SiteName
from streams.gateway.log_import.errors import UnusableRow
from streams.gateway.log_import.states import PLACES, VERBS

_PLAIN_ID_LENGTH = 200
_TYPES = tuple(f"tieline.work_item.{verb}.v1" for verb in VERBS)
_ADAPTERS: dict[str, TypeAdapter[str]] = {
    "work_item": TypeAdapter(LongId),
    "role": TypeAdapter(RoleName),
    "site": TypeAdapter(SiteName),
    "reason": TypeAdapter(Code),
}


class Mapped(NamedTuple):
    """A Tieline event as it goes to Kafka: the key of its work item, and its canonical bytes."""

    key: bytes
    value: bytes
    type: str

    @property
    def event(self) -> Event:
        """The decoded event. Cost: 8 µs."""
        return decode(self.value)


class Acted(NamedTuple):
    """The parts of one event of the log that all its Tieline events share; texts are already JSON."""

    time: str
    site: str
    actor: str
    role: str
    reason: str


def contract_text(kind: str, value: str) -> str:
    """`value` as a JSON string, if the contract takes it as a `kind` (work_item, role, site, reason).

    Raises: UnusableRow: `bad_<kind>`: too long, or with control characters.
    """
    try:
        _ADAPTERS[kind].validate_python(value, strict=True)
    except ValidationError:
        raise UnusableRow(f"bad_{kind}") from None
    return json_text(value)


def json_text(value: str) -> str:
    """As pydantic writes it: only quotes, backslashes and control characters are escaped."""
    return json.dumps(value, ensure_ascii=False)


def utc_text(at: datetime) -> str:
    """As pydantic writes an instant in UTC."""
    return f"{at.isoformat()[:-6]}Z"


class EventBytes:
    """Builds the events of one import.

    Args:
        apart: whether ids have to tell processes apart, because other processes may use the same source.
    """

    def __init__(self, process: str, source: str, apart: bool) -> None:
        self._process = json_text(process)
        self._source = json_text(source)
        self._id_prefix = f"{process}/" if apart else ""
        self._key_prefix = f"{process}/".encode()

    def build(self, work_item: str, subject: str, ordinal: int, verbs: tuple[int, ...], acted: Acted) -> list[Mapped]:
        """The events that the `ordinal`-th event of a work item stands for; `subject` is `work_item` as JSON."""
        key = self._key_prefix + work_item.encode()
        stem, mark = self._id_stem(work_item, subject)
        middle = f'","source":{self._source},"time":"{acted.time}","subject":{subject},"process":{self._process}'
        built = []
        for verb in verbs:
            name = VERBS[verb]
            value = (
                f'{{"specversion":"1.0","id":"{stem}:{ordinal}:{name}{mark}{middle},"site":{acted.site},'
                f'"sequence":{ordinal * PLACES + verb},"type":"{_TYPES[verb]}","data":{_data(name, acted)}}}'
            )
            built.append(Mapped(key, value.encode(), _TYPES[verb]))
        return built

    def _id_stem(self, work_item: str, subject: str) -> tuple[str, str]:
        # Ids end in the verb, those with a hashed stem in `~`: no work item's name can imitate another one's id.
        if len(self._id_prefix) + len(work_item) <= _PLAIN_ID_LENGTH:
            return json_text(self._id_prefix)[1:-1] + subject[1:-1], ""
        return sha256(f"{self._id_prefix}{work_item}".encode()).hexdigest(), "~"


def _data(verb: str, acted: Acted) -> str:
    parts = [acted.actor, acted.role]
    if verb == "paused":
        parts.append(acted.reason)
    return f"{{{','.join(filter(None, parts))}}}"
