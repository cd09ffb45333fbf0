"""HL7 v2: the connector, and how its messages are acknowledged."""

from streams.gateway.connectors.hl7v2.hl7v2 import Hl7v2

__all__ = ["Hl7v2"]
