"""AsyncAPI 3.0: which messages are on which topic, under which key."""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas import topics
from schemas.events import EVENT_TYPES
from schemas.export.json_schema import (
    DEAD_LETTER_FILE,
    EVENT_FILE,
    MEASURE_FILE,
    ROWS,
    SIGNAL_FILE,
    event_file,
    row_file,
)
from schemas.export.meanings import MEANINGS

Json = dict[str, Any]
CONTRACT_VERSION = "1.0.0"
"""Of the documents: grows with every change of an event, row or topic. Event types carry their own version."""
_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_CLOUD_EVENT, _JSON, _BYTES = "application/cloudevents+json", "application/json", "application/octet-stream"
_KEY = {"type": "string", "description": "`process/subject` of the work item, UTF-8; murmur2 chooses the partition"}

_WORKER_KEY = {"type": "string", "description": "the random id of a worker, UTF-8"}
_SIGNAL_KEY = {"type": "string", "description": "the id of the signal, UTF-8"}


class Channel(NamedTuple):
    """What a topic is for. `action` is what Tieline does there."""

    topic: str
    action: str
    summary: str
    messages: tuple[str, ...]


def channels() -> tuple[Channel, ...]:
    """One for each topic, in the order of `TOPICS`."""
    purposes = {
        topics.EVENTS: ("receive", "What operational systems report", tuple(EVENT_TYPES)),
        topics.HANDOFFS: ("send", "Handoffs, explicit and inferred", ("handoffs",)),
        topics.EXCHANGES: ("send", "Messages that expect a reply, with their replies", ("exchanges",)),
        topics.PROBLEMS: ("send", "Problems and their responses", ("problems",)),
        topics.EVIDENCE: ("send", "Observations on a tie's dimensions", ("evidence",)),
        topics.STATE: ("send", "Checkpoints of work items; internal, no contract", ("state",)),
        topics.LATE: ("send", "Events for work items that have left memory", ("late",)),
        topics.DEAD_LETTERS: ("send", "What could not be used, and why", ("dead-letter",)),
        topics.MEASURES: ("send", "What the apps did in the last seconds: sums", ("measure",)),
        topics.SIGNALS: ("send", "What is worth acting on now, and when it ended", ("signal",)),
    }
    return tuple(Channel(topic.name, *purposes[topic.name]) for topic in topics.TOPICS)


def asyncapi_document() -> Json:
    """The document. Payloads refer to the JSON Schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:tieline",
        "info": {
            "title": "Tieline",
            "version": CONTRACT_VERSION,
            "description": "Work handed from role to role, and how well it was communicated. Events are CloudEvents "
            "1.0 in structured JSON; everything else is derived from them.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": _JSON,
        "channels": {channel.topic: _channel(channel) for channel in channels()},
        "operations": {f"{channel.action}.{channel.topic}": _operation(channel) for channel in channels()},
        "components": {"messages": _messages()},
    }


def _channel(channel: Channel) -> Json:
    topic = next(topic for topic in topics.TOPICS if topic.name == channel.topic)
    return {
        "address": channel.topic,
        "summary": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": topic.partitions,
                "topicConfiguration": _topic_configuration(topic.config),
                "bindingVersion": "0.5.0",
            }
        },
    }


def _topic_configuration(config: dict[str, str]) -> Json:
    """The binding wants a list and numbers where Kafka's own settings are strings."""
    policy = config.get("cleanup.policy", "delete").split(",")
    numbers = {name: int(value) for name, value in config.items() if name != "cleanup.policy"}
    return {"cleanup.policy": policy, **numbers}


def _operation(channel: Channel) -> Json:
    reference = f"#/channels/{channel.topic}"
    return {
        "action": channel.action,
        "channel": {"$ref": reference},
        "summary": channel.summary,
        "messages": [{"$ref": f"{reference}/messages/{name}"} for name in channel.messages],
    }


def _messages() -> Json:
    events = {
        kind: {**_message(kind, _CLOUD_EVENT, event_file(kind)), "summary": MEANINGS[kind]} for kind in EVENT_TYPES
    }
    rows = {row.table: _message(row.table, _JSON, row_file(row)) for row in ROWS}
    return {
        **events,
        **rows,
        "state": _message("state", _BYTES),
        "late": _message("late", _CLOUD_EVENT, EVENT_FILE),
        "dead-letter": _message("dead-letter", _JSON, DEAD_LETTER_FILE),
        "measure": _message("measure", _JSON, MEASURE_FILE, _WORKER_KEY),
        "signal": _message("signal", _JSON, SIGNAL_FILE, _SIGNAL_KEY),
    }


def _message(name: str, content_type: str, file: str | None = None, key_schema: Json = _KEY) -> Json:
    payload = {"payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{file}"}}} if file else {}
    key = {"bindings": {"kafka": {"key": key_schema, "bindingVersion": "0.5.0"}}}
    return {"name": name, "contentType": content_type, **payload, **key}
