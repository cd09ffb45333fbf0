"""Settings of a GitHub source."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.vocabulary import Code

LabelName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class GitHubOptions(BaseModel):
    """Settings of a GitHub source.

    Attributes:
        pause_labels: label → reason of a pause that it stands for while it is on, such as `waiting-for-reporter:
            customer`. Case does not count. Which labels are roles is said by the policy's map of labels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pause_labels: Annotated[dict[LabelName, Code], Field(max_length=100)] = {}

    def pause_reason(self, label: str) -> str:
        """What a label pauses for; empty if it pauses nothing."""
        reasons = {name.casefold(): reason for name, reason in self.pause_labels.items()}
        return reasons.get(label.casefold(), "")
