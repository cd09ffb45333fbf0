"""The values behind a service's metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from streams.telemetry.metric import Metric

Look = Callable[[], None]
_KINDS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Values:
    """Of all metrics of one process. Reading and writing is safe from several threads.

    Cost: 1 µs to count, 2 µs to observe: per batch, never per event.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._children: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._by_name: dict[str, Any] = {}
        self.want(metrics)
        self._looks: list[Look] = []
        ProcessCollector(registry=self._registry)

    def want(self, metrics: Iterable[Metric]) -> None:
        """Take these in too; those that are known stay as they are."""
        for metric in metrics:
            if metric.name not in self._by_name:
                self._by_name[metric.name] = self._made(metric)

    def add(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        """Count something."""
        self._of(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Say how much there is now."""
        self._of(metric, labels).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """One more value of a distribution."""
        self._of(metric, labels).observe(value)

    def before_text(self, look: Look) -> None:
        """Have `look` called whenever somebody asks: for what is not counted as it happens."""
        self._looks.append(look)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format 0.0.4."""
        for look in self._looks:
            look()
        return generate_latest(self._registry)

    def _made(self, metric: Metric) -> Any:
        options: dict[str, Any] = {"buckets": metric.buckets_s} if metric.kind == "histogram" else {}
        return _KINDS[metric.kind](metric.name, metric.help, metric.labels, registry=self._registry, **options)

    def _of(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        found = self._children.get((metric.name, labels))
        if found is None:
            found = self._by_name[metric.name]
            self._children[metric.name, labels] = found = found.labels(*labels) if labels else found
        return found
