"""The roles on an issue when it was last told in full: Cloud tells little of the issue along with a comment."""

from __future__ import annotations

from typing import NamedTuple, cast

from streams.gateway.connectors.connector import Snapshots


class IssueRoles(NamedTuple):
    """Who has an issue and who reported it, as roles; empty where nothing told it."""

    owner: str = ""
    reporter: str = ""


def last_roles(snapshots: Snapshots, issue_id: str) -> IssueRoles:
    """What was remembered."""
    last = snapshots.last(_resource(issue_id)) or {}
    return IssueRoles(cast(str, last.get("owner", "")), cast(str, last.get("reporter", "")))


def remember(snapshots: Snapshots, issue_id: str, roles: IssueRoles, order: str) -> None:
    """Written down only if it is news.

    Args:
        order: of the version of the issue, as text that sorts.
    """
    if roles != last_roles(snapshots, issue_id):
        snapshots.keep(_resource(issue_id), {**roles._asdict(), "order": order})


def _resource(issue_id: str) -> str:
    return f"jira:{issue_id}:roles"
