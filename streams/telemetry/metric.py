"""One metric: its name, kind and labels. Every service has one tuple of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

MetricKind = Literal["counter", "gauge", "histogram"]
LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG_S = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""For what may wait for a service that is away."""


class Metric(NamedTuple):
    """One metric. No label ever holds anything that a sender can choose.

    Attributes:
        name: what Prometheus calls it; unit and `_total` as it wants them.
        help: what an operator reads beside it.
        buckets_s: of a histogram.
    """

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets_s: tuple[float, ...] = LATENCY_S
