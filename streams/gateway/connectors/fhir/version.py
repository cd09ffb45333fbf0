"""Which of two versions of a resource is the later one."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from streams.gateway.connectors.fhir.resource import Resource


class Version(NamedTuple):
    """A version's place among those of its resource.

    Attributes:
        order: text that sorts as versions do; empty if it cannot be told. Numbers that the server counts go before
            times: two writes in one second have one time.
        counted: whether `order` is such a number. Numbers and times cannot be compared.
    """

    order: str
    counted: bool

    def older_than(self, order: object) -> bool:
        """Whether this one is surely older than the one that was last told."""
        if not isinstance(order, str) or not self.order or not order:
            return False
        return self.counted == order.startswith("#") and self.order < order


def version_of(resource: Resource) -> Version:
    """By `meta.versionId` if it is a number, else by `meta.lastUpdated`, else by `lastModified` (Task)."""
    counted = resource.version_id
    if counted.isascii() and counted.isdigit() and len(counted) <= 18:
        return Version(f"#{int(counted):018d}", True)
    at = resource.updated_at or resource.instant("lastModified")
    return Version(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else "", False)
