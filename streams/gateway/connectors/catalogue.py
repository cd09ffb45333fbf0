"""Which connectors there are, by the name that settings use. Each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal, NamedTuple, cast, get_args

from schemas.errors import ConfigError
from streams.gateway.connectors.connector import Connector

ConnectorName = Literal["github", "jira", "servicenow", "zendesk", "pagerduty", "fhir", "hl7v2", "json"]
CONNECTORS: tuple[ConnectorName, ...] = get_args(ConnectorName)

JSON_TYPES = ("application/json", "+json")
FORM_TYPE = "application/x-www-form-urlencoded"
HL7_TYPES = ("application/hl7-v2", "x-application/hl7-v2+er7", "text/plain", "text/hl7")


class Entry(NamedTuple):
    """Where a connector is.

    Attributes:
        media_types: of the bodies that it reads; one that starts with `+` is a suffix.
        snapshots: it compares with what was told before.
        resources: its senders may put each resource below the endpoint, as FHIR R4 subscriptions do.
        acknowledges: its senders expect an acknowledgement of HL7 as the answer.
    """

    module: str
    cls: str
    media_types: tuple[str, ...] = JSON_TYPES
    snapshots: bool = False
    resources: bool = False
    acknowledges: bool = False


_ENTRIES: dict[ConnectorName, Entry] = {
    "github": Entry("github", "GitHub", (*JSON_TYPES, FORM_TYPE), snapshots=True),
    "jira": Entry("jira", "Jira", snapshots=True),
    "servicenow": Entry("servicenow", "ServiceNow", snapshots=True),
    "zendesk": Entry("zendesk", "Zendesk"),
    "pagerduty": Entry("pagerduty", "PagerDuty", snapshots=True),
    "fhir": Entry("fhir", "Fhir", snapshots=True, resources=True),
    "hl7v2": Entry("hl7v2", "Hl7v2", HL7_TYPES, snapshots=True, acknowledges=True),
    "json": Entry("json_mapping", "JsonMapping", snapshots=True),
}


def entry(name: ConnectorName) -> Entry:
    """What is known of a connector without importing it."""
    return _ENTRIES[name]


def connector(name: ConnectorName) -> Connector:
    """A connector, imported now.

    Raises: ConfigError: it cannot be imported.
    """
    module, cls, *_ = _ENTRIES[name]
    try:
        made: Any = getattr(import_module(f"streams.gateway.connectors.{module}"), cls)()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the connector {name} cannot be loaded: {error}") from error
    return cast(Connector, made)
