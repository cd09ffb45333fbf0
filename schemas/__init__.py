"""The contract: events, topics, policy, derived rows. Imports the standard library and pydantic only."""
