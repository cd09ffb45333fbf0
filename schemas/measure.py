"""What the apps say about their own work every few seconds: sums, no process, no event, no host."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from schemas.envelope import Contract

App = Literal["infer", "sink", "signals"]
_Count = Annotated[int, Field(ge=0)]


class Measure(Contract):
    """One worker's work since its last measure.

    Attributes:
        at: the end of the interval, by the worker's clock.
        worker: a random id, drawn when the worker starts.
        interval_s: since the measure before; longer while there is nothing to do.
        events: records of `tieline.events` that it read.
        batches: writes that were acknowledged: of `infer` by the broker, of `sink` by the store.
        batch_ms_mean, batch_ms_max: how long they took; null without any.
        lag_s: how old the newest record of a batch was once the batch was written; the largest of the interval. Null
            where nothing was.
        partitions: of `tieline.events`, held at the end.
    """

    at: datetime
    app: App
    worker: Annotated[str, Field(min_length=1, max_length=64)]
    interval_s: Annotated[float, Field(ge=0)]
    events: _Count
    batches: _Count
    batch_ms_mean: Annotated[float | None, Field(ge=0)]
    batch_ms_max: Annotated[float | None, Field(ge=0)]
    lag_s: float | None
    partitions: _Count
