"""Work item: what ownership logs record (who has it, whether it is worked on, paused or closed)."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Data, Envelope
from schemas.vocabulary import Code, RoleName


class WorkItemAct(Data):
    """Something that happened to the work item; `role` is who did it, where the source says so."""

    role: RoleName | None = None


class RoleAct(Data):
    """An act that only makes sense with a role: owning, working."""

    role: RoleName


class Pause(WorkItemAct):
    """The clock of a due time may stop, if the policy lists `reason`."""

    reason: Code


class WorkItemOpened(Envelope):
    type: Literal["tieline.work_item.opened.v1"]
    data: WorkItemAct


class WorkItemAssigned(Envelope):
    type: Literal["tieline.work_item.assigned.v1"]
    data: RoleAct


class WorkItemWorked(Envelope):
    type: Literal["tieline.work_item.worked.v1"]
    data: RoleAct


class WorkItemPaused(Envelope):
    type: Literal["tieline.work_item.paused.v1"]
    data: Pause


class WorkItemResumed(Envelope):
    type: Literal["tieline.work_item.resumed.v1"]
    data: WorkItemAct


class WorkItemClosed(Envelope):
    type: Literal["tieline.work_item.closed.v1"]
    data: WorkItemAct


class WorkItemReopened(Envelope):
    type: Literal["tieline.work_item.reopened.v1"]
    data: WorkItemAct
