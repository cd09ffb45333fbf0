"""Pictures of the report: neutral, legible without colour, and the same bytes for the same figures."""
