"""What the simulated people are measured by, in seconds; a test holds `deploy/policies/demo.yaml` to the same."""

from __future__ import annotations

from streams.simulation.people import HOUR_S

ACCEPT_S: dict[str, float] = {"emergent": 15 * 60.0, "urgent": 30 * 60.0, "routine": HOUR_S}
REPLY_S = 30 * 60.0
RESPOND_S = HOUR_S
SETTLE_S = 12 * HOUR_S
CONTACT_LOW, CONTACT_HIGH = 1, 4

INCIDENT_ACCEPT_S = 4 * HOUR_S
"""Of the receiver's hours: around the clock, but for the change desk, which keeps business hours."""
OPENS_H, CLOSES_H = 8, 18
HOLIDAYS = frozenset({(1, 1), (12, 25), (12, 26)})
"""(month, day) on which the change desk is closed, beside weekends."""

REQUIRED_ELEMENTS = ("situation", "background", "medications", "pending-results")
OPTIONAL_ELEMENTS = ("isolation", "family-informed")
