"""The connector: which webhook is read how.

Source: https://developer.atlassian.com/server/jira/platform/webhooks/ and
https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel

from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.jira import changes
from streams.gateway.connectors.jira.comments import comment
from streams.gateway.connectors.jira.issue import Issue
from streams.gateway.connectors.jira.memory import IssueRoles, last_roles, remember
from streams.gateway.connectors.jira.options import JiraOptions
from streams.gateway.connectors.ownership import NO_CHANGE, OTHER_EVENT
from streams.gateway.connectors.reading_json import JsonObject, read_object
from streams.gateway.edge.draft import Reading

NO_ISSUE = "no_issue"
_UNUSED_NAMES = """
    comment_updated comment_deleted worklog_created worklog_updated worklog_deleted jira:worklog_updated
    issuelink_created issuelink_deleted attachment_created attachment_deleted issue_property_set issue_property_deleted
    jira:version_created jira:version_updated jira:version_deleted jira:version_released jira:version_unreleased
    jira:version_moved project_created project_updated project_deleted project_archived project_soft_deleted
    project_restored_archived project_restored_deleted user_created user_updated user_deleted sprint_created
    sprint_updated sprint_deleted sprint_started sprint_closed board_created board_updated board_deleted
    board_configuration_changed option_voting_changed option_watching_changed option_unassigned_issues_changed
    option_subtasks_changed option_attachments_changed option_issuelinks_changed option_timetracking_changed
    issuetype_created issuetype_updated issuetype_deleted
"""
_UNUSED = frozenset(_UNUSED_NAMES.split())


class Jira:
    """Connector `jira`. Remembers the roles on an issue, for comments that do not tell them."""

    name = "jira"
    options_model: type[BaseModel] = JiraOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts of one webhook.

        Raises: InvalidEvent: as `read_object`; missing_field, invalid_value, bad_time.
        """
        payload = read_object(delivery.body)
        what = payload.text("webhookEvent")
        if what not in _READERS:
            return Reading(unused=(what if what in _UNUSED else OTHER_EVENT,))
        if what == "comment_created" and not payload.has("issue"):
            return Reading(unused=(NO_ISSUE,))  # Data Center tells the same comment with an update of the issue
        options, snapshots = JiraOptions.model_validate(context.options), context.snapshots
        issue = Issue(payload.child("issue"), context.roles, options, partial(last_roles, snapshots))
        reading = _READERS[what](payload, issue)
        if issue.is_full:
            at = payload.epoch_ms_or("timestamp") or issue.fields.time_or("updated") or issue.fields.time("created")
            remember(snapshots, issue.id, IssueRoles(issue.owner, issue.reporter_role), at.isoformat())
        return reading


def _updated(payload: JsonObject, issue: Issue) -> Reading:
    """A changelog, a comment, or both: a transition may be commented."""
    changed = changes.updated(payload, issue) if payload.has("changelog") else Reading()
    if not payload.has("comment"):
        return changed if payload.has("changelog") else Reading(unused=(NO_CHANGE,))
    if not _is_new(payload):
        return Reading(changed.drafts, (*changed.unused, "comment_updated"))
    said = comment(payload, issue)
    return Reading((*changed.drafts, *said.drafts), (*changed.unused, *said.unused))


def _is_new(payload: JsonObject) -> bool:
    """Whether the comment of an update was just made; versions that do not say what happened tell it by the times."""
    told = payload.text_or("issue_event_type_name")
    if told in ("issue_comment_edited", "issue_comment_deleted"):
        return False
    made, changed = payload.time_or("comment.created"), payload.time_or("comment.updated")
    return told == "issue_commented" or changed is None or made == changed


_READERS = {
    "jira:issue_created": changes.created,
    "jira:issue_updated": _updated,
    "jira:issue_deleted": changes.deleted,
    "comment_created": comment,
}
