"""What the views said about one process: the whole input of its part of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from deploy.report.asked import Asked
from deploy.report.words import shortened
from streams.inference.calibration import Calibration

Row = Mapping[str, Any]
Rows = Sequence[Row]


class Tie(NamedTuple):
    """One direction; `origin` is part of it, because explicit and inferred handoffs never meet in one figure."""

    communicator: str
    experiencer: str
    origin: str = "explicit"

    @property
    def name(self) -> str:
        return f"{self.communicator} → {self.experiencer}{_INFERRED if self.origin == 'inferred' else ''}"

    def short(self, most: int) -> str:
        """The name for a picture: neither role is cut off by the other's length."""
        roles = f"{shortened(self.communicator, most)} → {shortened(self.experiencer, most)}"
        return f"{roles} (inferred)" if self.origin == "inferred" else roles

    @property
    def pair(self) -> tuple[str, str, str]:
        """The same for both directions; roles in alphabetical order."""
        first, second = sorted((self.communicator, self.experiencer))
        return first, second, self.origin


_INFERRED = " (inferred from ownership)"


def tie_of(row: Row) -> Tie:
    return Tie(row["communicator_role"], row["experiencer_role"], row.get("origin") or "explicit")


class Survey(NamedTuple):
    """A survey beside the proxies of the time before it.

    Attributes:
        rows: of the view `survey_beside_proxy`.
        calibrations: (dimension, origin) to how far the proxy goes along with it.
    """

    name: str
    taken_at: datetime
    rows: Rows
    calibrations: Mapping[tuple[str, str], Calibration]


class Effect(NamedTuple):
    """What followed an intervention on one tie's dimension.

    Attributes:
        change, low, high: of the share that went well, with its 95 % interval; None: not enough data.
        before, after: periods; n_before, n_after: observations in those that were used.
        value_before, value_after: shares that went well; None: no period.
        ties_compared: untouched ties that it was held against; 0: none.
        notes: what weakens it: exploratory, possible regression to the mean, spillover possible, …
    """

    intervention: str
    tie: Tie
    dimension: str
    change: float | None
    low: float | None
    high: float | None
    before: int
    after: int
    n_before: float
    n_after: float
    value_before: float | None
    value_after: float | None
    ties_compared: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows of `deploy.report.questions`, by the names they have there.

    Attributes:
        effects: None: they were not computed.
    """

    asked: Asked
    covered: Rows = ()
    periods: Rows = ()
    flow: Rows = ()
    hours: Rows = ()
    answers: Rows = ()
    marks: Rows = ()
    figures: Rows = ()
    control: Rows = ()
    interventions: Rows = ()
    changes: Rows = ()
    surveys: tuple[Survey, ...] = ()
    effects: tuple[Effect, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing was seen between roles in this time."""
        return not self.figures and not self.periods
