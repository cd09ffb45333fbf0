"""What a webhook is about: its kind and action, from the header or by its shape."""

from __future__ import annotations

from urllib.parse import parse_qs

from schemas.errors import InvalidEvent
from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.github.options import GitHubOptions
from streams.gateway.connectors.github.requests import Requests
from streams.gateway.connectors.github.work_item import WorkItem, account
from streams.gateway.connectors.ownership import OTHER_EVENT
from streams.gateway.connectors.reading_json import JsonObject, read_object

_FORM = "application/x-www-form-urlencoded"
_ITEM_ACTION_NAMES = """
    opened edited deleted transferred closed reopened assigned unassigned labeled unlabeled milestoned demilestoned
    pinned unpinned locked unlocked typed untyped converted_to_draft ready_for_review review_requested
    review_request_removed synchronize auto_merge_enabled auto_merge_disabled enqueued dequeued
"""
_OTHER_KIND_NAMES = """
    branch_protection_rule check_run check_suite code_scanning_alert commit_comment create delete dependabot_alert
    deployment deployment_review deployment_status discussion discussion_comment fork gollum installation
    installation_repositories issue_dependencies label member membership merge_group meta milestone org_block
    organization package page_build ping projects_v2 projects_v2_item public push registry_package release
    repository repository_import repository_ruleset security_advisory star status sub_issues team team_add watch
    workflow_dispatch workflow_job workflow_run
"""
_ITEM_ACTIONS, _OTHER_KINDS = frozenset(_ITEM_ACTION_NAMES.split()), frozenset(_OTHER_KIND_NAMES.split())
_COMMENT_ACTIONS = frozenset({"created", "edited", "deleted", "pinned", "unpinned"})
_ACTIONS = {
    "issues": _ITEM_ACTIONS,
    "pull_request": _ITEM_ACTIONS,
    "issue_comment": _COMMENT_ACTIONS,
    "pull_request_review": frozenset({"submitted", "edited", "dismissed"}),
    "pull_request_review_comment": _COMMENT_ACTIONS,
    "pull_request_review_thread": frozenset({"resolved", "unresolved"}),
}


class Webhook:
    """One webhook and what its reader may know.

    Attributes:
        what: kind and action: `issues.opened`.

    Raises: InvalidEvent: missing_field, invalid_value.
    """

    def __init__(self, what: str, json: JsonObject, context: Context) -> None:
        self.what, self.json, self.context, self.roles = what, json, context, context.roles
        self.options = GitHubOptions.model_validate(context.options)
        self.item = WorkItem(json, "pull_request" if what.startswith("pull_request") else "issue", context.roles)
        self.sender = account(json.child_or("sender"))

    def requests(self) -> Requests:
        """The reviews that were asked for."""
        return Requests(self.context.snapshots, self.item.key)


def payload_of(delivery: Delivery) -> JsonObject:
    """The JSON of a delivery: the body itself, or its form field `payload`, as a webhook of either content type sends.

    Raises: InvalidEvent: as `read_object`; missing_field: a form without `payload`.
    """
    if not delivery.headers.get("content-type", "").lower().startswith(_FORM):
        return read_object(delivery.body)
    try:
        found = parse_qs(delivery.body.decode(), max_num_fields=8, errors="strict").get("payload")
    except ValueError:
        raise InvalidEvent("not_form") from None
    if not found:
        raise InvalidEvent("missing_field", "payload")
    return read_object(found[0].encode())


def kind_of(delivery: Delivery, payload: JsonObject) -> str:
    """The event's kind by `X-GitHub-Event`, else by what it holds; empty if that tells nothing."""
    header = delivery.headers.get("x-github-event", "").strip()
    if header:
        return header
    if payload.has("review"):
        return "pull_request_review"
    if payload.has("thread"):
        return "pull_request_review_thread"
    if payload.has("comment"):
        # A comment on a pull request as a whole comes as one on its issue.
        return "issue_comment" if payload.has("issue") else "pull_request_review_comment"
    return next((kind for kind, key in _BY_KEY if payload.has(key)), "")


_BY_KEY = (("pull_request", "pull_request"), ("issues", "issue"), ("ping", "zen"))


def code(kind: str, action: str) -> str:
    """What to count it by: of a closed list, since header and payload may say anything."""
    if action in _ACTIONS.get(kind, ()):
        return f"{kind}.{action}"
    return kind if kind in _OTHER_KINDS else OTHER_EVENT
