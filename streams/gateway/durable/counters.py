"""What an event log did, as plain numbers that only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the process began. Records are events and dead letters alike.

    Attributes:
        kept_kafka, kept_spool: records that were durable by way of Kafka, and of the spool.
        rounds: writes that these took.
        refused: records that were not kept: no room, or the disk refused.
        replayed: records brought from the spool to Kafka.
        dead_letters: records out of the spool that Kafka never takes.
        broker_failures: rounds that Kafka did not acknowledge, and failed attempts to connect.
        disk_failures: writes that the disk refused.
    """

    kept_kafka: int = 0
    kept_spool: int = 0
    rounds: int = 0
    refused: int = 0
    replayed: int = 0
    dead_letters: int = 0
    broker_failures: int = 0
    disk_failures: int = 0
