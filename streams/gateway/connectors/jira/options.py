"""Settings of a Jira source."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.vocabulary import Code

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
StatusName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class JiraOptions(BaseModel):
    """Settings of a Jira source. Names are compared without regard to case.

    Attributes:
        team_field: id of the custom field that holds the owning team, such as `customfield_10001`. Its value, or what
            the policy's map of groups makes of it, is the role. Never a field that holds people or free text.
        team_field_name: what that field is called, for Data Center, whose changelogs tell names only.
        pause_statuses: status → reason of the pause that it is, such as `Waiting for customer: customer`.
        done_statuses: statuses that end the work, where Jira does not tell: a changelog has no category of the status
            before.
        work_fields: further fields (id or name) whose change by the owning role is work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    team_field: Annotated[str, StringConstraints(max_length=128, pattern=r"^(customfield_[0-9]+)?$")] = ""
    team_field_name: Annotated[str, StringConstraints(max_length=128)] = ""
    pause_statuses: Annotated[dict[StatusName, Code], Field(max_length=100)] = {}
    done_statuses: Annotated[tuple[StatusName, ...], Field(max_length=100)] = ("Done", "Closed", "Resolved")
    work_fields: Annotated[tuple[FieldName, ...], Field(max_length=100)] = ()

    def pause_reason(self, status: str) -> str:
        """What a status pauses for; empty if it pauses nothing."""
        reasons = {name.casefold(): reason for name, reason in self.pause_statuses.items()}
        return reasons.get(status.casefold(), "")

    def is_done(self, status: str) -> bool:
        """Whether a status ends the work, by its name."""
        return status.casefold() in {name.casefold() for name in self.done_statuses}
