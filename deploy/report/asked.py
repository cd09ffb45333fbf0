"""What a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploy.dashboards.asking import PROCESS, RUN, SITE
from deploy.dashboards.dashboard import ALL, Variable
from deploy.dashboards.macros import TimeRange, expand

_COMPARE = Variable(name="compare", label="Compared with", sql="")


@dataclass(frozen=True, slots=True)
class Asked:
    """One process over a time, which the views snap to whole periods.

    Attributes:
        site: empty for all.
        compare: the other run; empty for none.
    """

    process: str
    start: datetime
    end: datetime
    run: str = "live"
    site: str = ""
    compare: str = ""

    def sql(self, statement: str) -> str:
        """A statement of a dashboard, with these values put in as text."""
        chosen = {
            "process": (self.process,),
            "run": (self.run,),
            "site": (self.site or ALL,),
            "compare": (self.compare,),
        }
        return expand(statement, TimeRange(self.start, self.end), (PROCESS, RUN, SITE, _COMPARE), chosen)
