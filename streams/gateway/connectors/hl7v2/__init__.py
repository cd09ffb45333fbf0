"""HL7 v2: the connector, and how its messages are acknowledged."""

from streams.gateway.connectors.hl7v2.acknowledgement import UNAVAILABLE, Verdict, acknowledge, verdict_of
from streams.gateway.connectors.hl7v2.hl7v2 import Hl7v2

__all__ = ["UNAVAILABLE", "Hl7v2", "Verdict", "acknowledge", "verdict_of"]
