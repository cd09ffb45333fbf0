"""Keeping what was accepted: on Kafka, or on disk until Kafka has it."""

from streams.gateway.durable.event_log import EventLog, LogState
from streams.gateway.durable.settings import EventLogSettings

__all__ = ["EventLog", "EventLogSettings", "LogState"]
