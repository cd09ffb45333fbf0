"""What could not be used, and why; never what it said."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from schemas.envelope import Contract

DeadLetterStage = Literal["infer", "sink", "import", "gateway", "webhook"]


class DeadLetter(Contract):
    """Where the refused record is (topic, partition, offset), the error code and the field path.

    `payload_sha256` finds the same payload again; the payload itself stays where it was.
    """

    id: str
    stage: DeadLetterStage
    code: str
    field: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1
    payload_sha256: str
    payload_bytes: Annotated[int, Field(ge=0)]
    at: datetime


def payload_hash(payload: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(payload).hexdigest()


def dead_letter_id(code: str, topic: str, partition: int, offset: int, payload: bytes) -> str:
    """The same refused record always has the same id, so that reading it twice reports it once.

    A `conflict` is about two contents, not about a place in the log: its id is made from the losing content only.
    """
    place = "" if code == "conflict" else f"{topic}/{partition}/{offset}"
    return hashlib.sha256(f"{code}|{place}|{payload_hash(payload)}".encode()).hexdigest()[:32]
