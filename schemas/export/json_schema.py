"""JSON Schema 2020-12 of events, derived rows, dead letters and the policy."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from schemas.events import EVENT_ADAPTER, EVENT_TYPES
from schemas.export.meanings import MEANINGS
from schemas.measure import Measure
from schemas.policy import Policy
from schemas.rows import EvidenceRow, ExchangeRow, HandoffRow, ProblemRow, Row
from schemas.signal import Signal

Json = dict[str, Any]
ROWS: tuple[type[Row], ...] = (HandoffRow, ExchangeRow, ProblemRow, EvidenceRow)
EVENT_FILE, DEAD_LETTER_FILE, POLICY_FILE = "event.json", "dead-letter.json", "policy.json"
MEASURE_FILE, SIGNAL_FILE = "measure.json", "signal.json"


class _Plain(GenerateJsonSchema):
    """Without a title on every field that only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_documents() -> dict[str, Json]:
    """File name relative to the contract's folder → schema. Each stands alone: its references are within itself."""
    documents = {event_file(kind): _event(kind, cls) for kind, cls in EVENT_TYPES.items()}
    documents[EVENT_FILE] = _document(EVENT_ADAPTER, "tieline event")
    for row in ROWS:
        documents[row_file(row)] = _document(TypeAdapter(row), f"row of {row.table}", "serialization")
    documents[DEAD_LETTER_FILE] = _document(TypeAdapter(DeadLetter), "dead letter", "serialization")
    documents[MEASURE_FILE] = _document(TypeAdapter(Measure), "measure", "serialization")
    documents[SIGNAL_FILE] = _document(TypeAdapter(Signal), "signal", "serialization")
    documents[POLICY_FILE] = _document(TypeAdapter(Policy), "policy")
    return {name: {"$id": f"urn:tieline:{name.removesuffix('.json')}", **each} for name, each in documents.items()}


def _event(kind: str, cls: type[Envelope]) -> Json:
    return {**_document(TypeAdapter(cls), kind), "description": MEANINGS[kind]}


def event_file(kind: str) -> str:
    """Where the schema of one event type stands."""
    return f"events/{kind}.json"


def row_file(row: type[Row]) -> str:
    """Where the schema of one table's rows stands."""
    return f"rows/{row.table}.json"


def _document(
    adapter: TypeAdapter[Any], title: str, mode: Literal["validation", "serialization"] = "validation"
) -> Json:
    schema = adapter.json_schema(mode=mode, schema_generator=_Plain)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": title}
