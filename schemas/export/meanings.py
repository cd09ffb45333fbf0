"""What each event type says, in one sentence, for the generated documents."""

from __future__ import annotations

MEANINGS: dict[str, str] = {
    "tieline.handoff.offered.v1": "One role offers responsibility for a work item to another, or revises its offer.",
    "tieline.handoff.accepted.v1": "The receiving role takes responsibility.",
    "tieline.handoff.declined.v1": "The receiving role answers that it does not take it.",
    "tieline.handoff.returned.v1": "The receiving role gives back what it had accepted.",
    "tieline.handoff.withdrawn.v1": "The offering role takes its offer back.",
    "tieline.handoff.clarification_requested.v1": "A question about a handoff; a reason makes it a report of wrong "
    "content.",
    "tieline.handoff.clarified.v1": "A question about a handoff is answered.",
    "tieline.handoff.corrected.v1": "What was handed over is corrected.",
    "tieline.handoff.read_back.v1": "The receiving role repeats what it understood.",
    "tieline.work_item.opened.v1": "The work item begins.",
    "tieline.work_item.assigned.v1": "The role becomes the owner of the work item.",
    "tieline.work_item.worked.v1": "Somebody of the role works on the work item.",
    "tieline.work_item.paused.v1": "Work stops for a reason.",
    "tieline.work_item.resumed.v1": "Work goes on; every pause ends.",
    "tieline.work_item.closed.v1": "The work item ends.",
    "tieline.work_item.reopened.v1": "A closed work item goes on.",
    "tieline.communication.sent.v1": "A message between roles about a work item, without its text.",
    "tieline.communication.read.v1": "A message is read.",
    "tieline.communication.corrected.v1": "A message turns out to have been wrong.",
    "tieline.problem.raised.v1": "Something needs solving, and a role is asked to respond.",
    "tieline.problem.responded.v1": "A response to a problem, by its kind.",
    "tieline.problem.resolved.v1": "The problem is solved.",
    "tieline.problem.reopened.v1": "The problem is back.",
    "tieline.intervention.started.v1": "A change in how work is coordinated begins; registered before its effect is "
    "known.",
    "tieline.intervention.ended.v1": "The change ends.",
    "tieline.survey.scored.v1": "The mean rating that one role gave another in the customer's own survey.",
}
