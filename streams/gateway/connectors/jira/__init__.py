"""Jira, Cloud and Data Center: issues with their changelogs, and comments."""

from streams.gateway.connectors.jira.connector import Jira

__all__ = ["Jira"]
